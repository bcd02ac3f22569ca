"""Email by SMTP submission: a pool of kept-open connections, one message at a time on each."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException, SMTPResponseException, SMTPServerDisconnected

from actors.message import Message, Sent
from actors.providers.mime import envelope_sender, mail_of, mailbox, message_id
from tocsin.errors import AddressGone, Ambiguous, Permanent, ProviderDown, SendError, Transient
from tocsin.settings import Smtp

NAME: Final = "smtp"
TIMEOUT: Final = 20.0
MAX_BYTES: Final = 1_000_000
_IDLE_SECONDS: Final = 60.0
"""Servers cut idle connections (RFC 5321 suggests 5 minutes): past this, start a new one."""

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
        self._session: SMTP | None = None
        self._used = 0.0

    async def transact(self, sender: str, recipient: str, mail: bytes) -> None:
        """One message. Raises a `SendError`; only what happens after DATA began is ambiguous."""
        stage = "mail"
        try:
            session = await self._begin(sender)
            stage = "rcpt"
            await _said(session, b"RCPT TO:<%b>" % recipient.encode())
            stage = "data"
            await session.data(mail)
        except SMTPResponseException as error:
            await self._reset(error.code)
            raise classify(stage, error.code, error.message) from None
        except (SMTPException, OSError) as error:
            self.close()
            kind = Ambiguous if stage == "data" else ProviderDown
            raise kind(type(error).__name__, NAME) from None
        except BaseException:
            self.close()  # cancelled in mid-conversation: nobody knows where it stands
            raise
        self._used = time.monotonic()

    async def _begin(self, sender: str) -> SMTP:
        """A session that took MAIL FROM."""
        kept, session = self._session, await self._open()
        try:
            await _said(session, b"MAIL FROM:<%b>" % sender.encode())
        except SMTPServerDisconnected:
            if session is not kept:
                raise
            # the server gave up a kept connection meanwhile; nothing was said on it yet
            session = await self._open()
            await _said(session, b"MAIL FROM:<%b>" % sender.encode())
        return session

    async def _open(self) -> SMTP:
        stale = time.monotonic() - self._used > _IDLE_SECONDS
        if self._session is not None and self._session.is_connected and not stale:
            return self._session
        self.close()
        try:
            self._session = await _connected(self._smtp, self._timeout)
        except SMTPResponseException as error:
            raise classify("connect", error.code, error.message) from None
        except (SMTPException, OSError) as error:
            raise ProviderDown(type(error).__name__, NAME) from None
        return self._session

    async def _reset(self, code: int) -> None:
        """Make the connection ready for the next message, or drop it."""
        self._used = time.monotonic()
        session = self._session
        if session is None or code == 421 or not session.is_connected:
            self.close()
            return
        try:
            await session.rset()
        except (SMTPException, OSError):
            self.close()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


async def _said(session: SMTP, command: bytes) -> None:
    """One command. Raises `SMTPResponseException` when it is refused.

    Not aiosmtplib's `mail` and `rcpt`, which parse the address again for 20 µs each: `mailbox`
    has checked it more strictly.
    """
    response = await session.execute_command(command)
    if response.code // 100 != 2:
        raise SMTPResponseException(response.code, response.message)


async def _connected(smtp: Smtp, timeout: float) -> SMTP:
    """A session past EHLO, TLS where the server offers it, and log-in where there is a user."""
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
    return session


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
