"""One SMTP conversation (RFC 5321), without I/O: bytes in, replies out.

Speaks PIPELINING, 8BITMIME, SIZE, SMTPUTF8, ENHANCEDSTATUSCODES and AUTH PLAIN. Only CRLF.CRLF ends
a message, so nothing can be smuggled past it.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from loadtest.sandbox.smtp_buffer import SmtpBuffer, TooLong

MAX_SIZE: Final = 10 * 1024 * 1024
MAX_RECIPIENTS: Final = 100
_PATH: Final = re.compile(rb"(FROM|TO):\s*<([^<>\s]*)>((?:\s+\S+)*)\s*", re.IGNORECASE).fullmatch
_MAILBOX: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}").fullmatch


class Envelope(NamedTuple):
    """One message as handed over; `content` is without the final dot and dot-stuffing."""

    sender: str
    recipients: list[str]
    content: bytes


class Disposition(NamedTuple):
    """What to answer to a message: after `delay` seconds, then closing, or by cutting the line."""

    reply: bytes
    delay: float = 0.0
    cut: bool = False
    close: bool = False


class Output(NamedTuple):
    """What to write now. After `delay` the rest follows from `resume`; `cut` and `close` end it."""

    data: bytes
    delay: float = 0.0
    cut: bool = False
    close: bool = False


class Office(Protocol):
    """Who decides about recipients, log-ins and messages."""

    def recipient(self, address: str) -> bytes | None:
        """A refusal of this address, or None."""

    def login(self, user: str, password: str) -> bool: ...

    def message(self, envelope: Envelope) -> Disposition: ...


class SmtpSession:
    """Feed it what arrives; write what it returns."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._buffer = SmtpBuffer()
        self._in_data = self._in_auth = self._greeted = self._utf8 = self._closing = False
        self._late: bytes | None = None
        self._sender: str | None = None
        self._recipients: list[str] = []

    @staticmethod
    def greeting() -> bytes:
        """The first line, before the client says anything."""
        return b"220 sandbox.tocsin.example ESMTP Tocsin sandbox\r\n"

    @property
    def busy(self) -> bool:
        """Whether an answer is held back or a message is half received."""
        return self._late is not None or self._in_data

    def receive(self, data: bytes) -> Output:
        """Take bytes; returns replies to every complete command and message in them."""
        self._buffer.feed(data)
        return Output(b"") if self._late is not None else self._work([])

    def resume(self) -> Output:
        """The delay is over: the answer it held back, and the replies to what came meanwhile."""
        late, self._late = self._late, None
        return self._work([late] if late else [])

    def _work(self, replies: list[bytes]) -> Output:
        while not self._closing:
            disposition = self._step()
            if disposition is None:
                break
            self._closing = self._closing or disposition.close
            if disposition.cut:
                return Output(b"".join(replies), disposition.delay, cut=True)
            if disposition.delay:
                self._late = disposition.reply
                return Output(b"".join(replies), disposition.delay)
            replies.append(disposition.reply)
        return Output(b"".join(replies), close=self._closing)

    def _step(self) -> Disposition | None:
        """One command or one message; None when neither is complete."""
        try:
            if self._in_data:
                content = self._buffer.message()
                return None if content is None else self._hand_over(content)
            line = self._buffer.line()
            return None if line is None else Disposition(self._command(line))
        except TooLong as error:
            self._closing = True
            return Disposition(b"%d 5.5.6 %b\r\n" % (error.code, str(error).encode()))

    def _hand_over(self, content: bytes) -> Disposition:
        self._in_data = False
        envelope = Envelope(self._sender or "", self._recipients, content)
        self._reset()
        if len(content) > MAX_SIZE:
            return Disposition(b"552 5.3.4 Message too big\r\n")
        return self._office.message(envelope)

    def _reset(self) -> None:
        self._sender, self._recipients, self._utf8 = None, [], False

    def _command(self, line: bytes) -> bytes:
        if self._in_auth:
            self._in_auth = False
            return self._plain(line)
        verb, _, rest = line.partition(b" ")
        handler = _COMMANDS.get(verb.upper())
        return handler(self, rest) if handler else b"500 5.5.2 Command not recognised\r\n"

    def _helo(self, rest: bytes) -> bytes:
        self._greeted = True
        self._reset()
        return b"250 sandbox.tocsin.example\r\n"

    def _ehlo(self, rest: bytes) -> bytes:
        if not rest.strip():
            return b"501 5.5.4 EHLO needs a host name\r\n"
        self._helo(rest)
        return (
            b"250-sandbox.tocsin.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
            b"250-ENHANCEDSTATUSCODES\r\n250-AUTH PLAIN\r\n250 SIZE %d\r\n" % MAX_SIZE
        )

    def _mail(self, rest: bytes) -> bytes:
        if not self._greeted:
            return b"503 5.5.1 Say EHLO first\r\n"
        if self._sender is not None:
            return b"503 5.5.1 Sender already given\r\n"
        match = _PATH(rest)
        if match is None or match[1].upper() != b"FROM":
            return b"501 5.5.4 Syntax: MAIL FROM:<address>\r\n"
        sizes = [p[5:] for p in match[3].upper().split() if p.startswith(b"SIZE=")]
        if sizes and (not sizes[0].isdigit() or int(sizes[0]) > MAX_SIZE):
            return b"552 5.3.4 Message too big\r\n"
        self._utf8 = b"SMTPUTF8" in match[3].upper().split()
        sender, problem = self._address(match[2], empty=True)
        if problem:
            return problem
        self._sender = sender
        return b"250 2.1.0 Ok\r\n"

    def _rcpt(self, rest: bytes) -> bytes:
        if self._sender is None:
            return b"503 5.5.1 Say MAIL first\r\n"
        match = _PATH(rest)
        if match is None or match[1].upper() != b"TO":
            return b"501 5.5.4 Syntax: RCPT TO:<address>\r\n"
        if len(self._recipients) >= MAX_RECIPIENTS:
            return b"452 4.5.3 Too many recipients\r\n"
        address, problem = self._address(match[2], empty=False)
        if refusal := problem or self._office.recipient(address):
            return refusal
        self._recipients.append(address)
        return b"250 2.1.5 Ok\r\n"

    def _address(self, raw: bytes, empty: bool) -> tuple[str, bytes]:
        """The address, or the reply that refuses it."""
        if not raw.isascii() and not self._utf8:
            return "", b"553 5.6.7 Address needs SMTPUTF8\r\n"
        address = raw.decode("utf-8", "replace")
        if not (empty and not address) and not _MAILBOX(address):
            return "", b"501 5.1.3 Bad address syntax\r\n"
        return address, b""

    def _data(self, rest: bytes) -> bytes:
        if not self._recipients:
            return b"503 5.5.1 No valid recipients\r\n"
        self._in_data = True
        return b"354 End data with <CR><LF>.<CR><LF>\r\n"

    def _rset(self, rest: bytes) -> bytes:
        self._reset()
        return b"250 2.0.0 Ok\r\n"

    def _noop(self, rest: bytes) -> bytes:
        return b"250 2.0.0 Ok\r\n"

    def _vrfy(self, rest: bytes) -> bytes:
        return b"252 2.5.2 Send the message and see\r\n"

    def _quit(self, rest: bytes) -> bytes:
        self._closing = True
        return b"221 2.0.0 Bye\r\n"

    def _auth(self, rest: bytes) -> bytes:
        mechanism, _, initial = rest.partition(b" ")
        if mechanism.upper() != b"PLAIN":
            return b"504 5.5.4 Only AUTH PLAIN\r\n"
        if initial:
            return self._plain(initial)
        self._in_auth = True
        return b"334 \r\n"

    def _plain(self, encoded: bytes) -> bytes:
        try:
            _, user, password = base64.b64decode(encoded, validate=True).decode().split("\0")
        except (binascii.Error, ValueError):
            return b"501 5.5.2 Cannot decode the response\r\n"
        if not self._office.login(user, password):
            return b"535 5.7.8 Authentication credentials invalid\r\n"
        return b"235 2.7.0 Authentication successful\r\n"


_COMMANDS: Final[dict[bytes, Callable[[SmtpSession, bytes], bytes]]] = {
    b"HELO": SmtpSession._helo, b"EHLO": SmtpSession._ehlo, b"MAIL": SmtpSession._mail,
    b"RCPT": SmtpSession._rcpt, b"DATA": SmtpSession._data, b"RSET": SmtpSession._rset,
    b"NOOP": SmtpSession._noop, b"VRFY": SmtpSession._vrfy, b"QUIT": SmtpSession._quit,
    b"AUTH": SmtpSession._auth,
}  # fmt: skip
