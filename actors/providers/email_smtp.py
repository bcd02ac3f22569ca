"""Email by SMTP submission: a pool of kept-open connections, one message at a time on each."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from typing import Final, cast
from urllib.parse import urlsplit

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException, SMTPResponseException

from actors.message import Message, Sent
from actors.providers.mime import dotted, envelope_sender, mail_of, mailbox, message_id
from actors.providers.smtp_wire import Reply, Wire
from tocsin.errors import AddressGone, Ambiguous, Permanent, ProviderDown, SendError, Transient
from tocsin.settings import Smtp

NAME: Final = "smtp"
TIMEOUT: Final = 20.0
MAX_BYTES: Final = 1_000_000
_IDLE_SECONDS: Final = 60.0
"""Servers cut idle connections (RFC 5321 suggests 5 minutes): past this, start a new one."""

_STAGES: Final = (("mail", 2), ("rcpt", 2), ("data", 3))
"""What comes before a message's text, and how a reply that is no refusal begins."""

_GO_ON: Final = 354

_POLICY = re.compile(r"\s*5\.7\.").match
_SYSTEM = re.compile(r"\s*4\.3\.").match
"""RFC 3463, X.3: the state of the mail system."""


def classify(stage: str, code: int, text: str) -> SendError:
    """What a reply that is no success means. `stage` is connect, mail, rcpt or data. Pure.

    A refused recipient is a hard bounce, unless the refusal is about us: 5.7.x is policy.
    """
    reason = f"{code} {enhanced(text)}".strip()
    if not 400 <= code < 600:
        # no reply of SMTP's: after the text went out, nobody knows
        return Ambiguous("bad reply", NAME) if stage == "data" else ProviderDown("bad reply", NAME)
    if stage == "connect" or code == 421 or _SYSTEM(text):
        # nothing was said of the message: a log-in or a server to be put right
        return ProviderDown(reason, NAME)
    if code < 500:
        return Transient(reason, NAME)
    if stage == "rcpt" and not _POLICY(text):
        return AddressGone(reason, NAME)
    return Permanent(reason, NAME)


def enhanced(text: str) -> str:
    """The enhanced status code (RFC 3463) at the start of a reply; the rest may hold an address."""
    match = re.match(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", text)
    return match[1] if match else ""


class _Line:
    """One connection, opened when needed, dropped when in doubt."""

    def __init__(self, smtp: Smtp, timeout: float) -> None:
        self._smtp, self._timeout = smtp, timeout
        self._wire: Wire | None = None
        self._used = 0.0

    async def transact(self, sender: str, recipient: str, mail: bytes) -> None:
        """One message. Raises a `SendError`; only once its text leaves is it ambiguous."""
        left = False
        try:
            wire, replies = await self._offer(sender, recipient)
            refusal = refused(replies)
            if refusal is None:
                left = True
                reply = (await wire.ask(dotted(mail), 1))[0]
                refusal = None if reply.code == 250 else ("data", reply)
            elif replies[-1].code == _GO_ON:
                # it refused, and waits for a text all the same (RFC 2920, 3.1): there is none
                await wire.ask(b".\r\n", 1)
            if refusal:
                await self._reset(wire, refusal[1].code)
        except OSError as error:
            self.close()
            kind = Ambiguous if left else ProviderDown
            raise kind(type(error).__name__, NAME) from None
        except BaseException:
            self.close()  # cancelled in mid-conversation: nobody knows where it stands
            raise
        self._used = time.monotonic()
        if refusal:
            stage, reply = refusal
            raise classify(stage, reply.code, reply.text)

    async def _offer(self, sender: str, recipient: str) -> tuple[Wire, list[Reply]]:
        """The replies to everything that comes before the text."""
        commands = (
            b"MAIL FROM:<%b>\r\n" % sender.encode(),
            b"RCPT TO:<%b>\r\n" % recipient.encode(),
            b"DATA\r\n",
        )
        kept, wire = self._wire, await self._open()
        try:
            return wire, await wire.offer(commands)
        except ConnectionError:
            if wire is not kept:
                raise
            # the server gave up a kept connection meanwhile; no text was said on it yet
            wire = await self._open()
            return wire, await wire.offer(commands)

    async def _open(self) -> Wire:
        stale = time.monotonic() - self._used > _IDLE_SECONDS
        if self._wire is not None and self._wire.open and not stale:
            return self._wire
        self.close()
        try:
            self._wire = await _connected(self._smtp, self._timeout)
        except SMTPResponseException as error:
            raise classify("connect", error.code, error.message) from None
        except (SMTPException, OSError) as error:
            raise ProviderDown(type(error).__name__, NAME) from None
        return self._wire

    async def _reset(self, wire: Wire, code: int) -> None:
        """Make the connection ready for the next message, or drop it."""
        if code == 421 or not wire.open:
            self.close()
            return
        try:
            await wire.ask(b"RSET\r\n", 1)
        except OSError:
            self.close()

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


def refused(replies: Sequence[Reply]) -> tuple[str, Reply] | None:
    """The first command that was refused, by its stage. Raises `ConnectionError` when none was and
    replies are missing. Pure."""
    for (stage, success), reply in zip(_STAGES, replies, strict=False):
        if reply.code // 100 != success:
            return stage, reply
    if len(replies) < len(_STAGES):
        raise ConnectionResetError
    return None


async def _connected(smtp: Smtp, timeout: float) -> Wire:
    """A connection past EHLO, TLS where the server offers it, and log-in where there is a user."""
    url = urlsplit(smtp.url)
    implicit = url.scheme == "smtps"
    session = SMTP(
        hostname=url.hostname or "127.0.0.1",
        port=url.port or (465 if implicit else 25),
        use_tls=implicit,
        username=smtp.user or None,
        password=smtp.password.get_secret_value() or None,
        timeout=timeout,
        local_hostname=envelope_sender(smtp.sender).rpartition("@")[2] or "localhost",
    )
    await session.connect()
    if session.is_ehlo_or_helo_needed:
        await session.ehlo()
    # uvloop's transports are not asyncio's classes; they only behave so
    transport = cast(asyncio.Transport, session.transport)
    return Wire(transport, timeout, session.supports_extension("pipelining"))


class EmailSmtp:
    """At most `smtp.connections` connections; whoever finds none free waits for one."""

    name = NAME

    def __init__(
        self, smtp: Smtp, timeout: float = TIMEOUT, now: Callable[[], float] = time.time
    ) -> None:
        self._sender, self._envelope = smtp.sender, envelope_sender(smtp.sender)
        self._lines = [_Line(smtp, timeout) for _ in range(smtp.connections)]
        # last in, first out: under little load the few open connections are used, the rest idle
        self._free: asyncio.LifoQueue[_Line] = asyncio.LifoQueue()
        for line in reversed(self._lines):
            self._free.put_nowait(line)
        self._now = now

    async def send(self, message: Message) -> Sent:
        """`provider_message_id` is our Message-ID: SMTP promises no id of the server's own."""
        recipient = mailbox(message.address)
        mail = mail_of(message, self._sender, self._now())
        if len(mail) > MAX_BYTES:
            raise Permanent("552 5.3.4", NAME)
        line = await self._free.get()
        try:
            await line.transact(self._envelope, recipient, mail)
        finally:
            self._free.put_nowait(line)
        return Sent(NAME, message_id(message.delivery_id, self._sender))

    async def close(self) -> None:
        """Close every connection. A message in flight becomes ambiguous."""
        for line in self._lines:
            line.close()
