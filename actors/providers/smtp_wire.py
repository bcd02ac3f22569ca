"""An SMTP connection past its greeting: commands out, replies in, many at once where the server
takes it (RFC 2920).

aiosmtplib connects, negotiates TLS and logs in, but knows no pipelining: each of its commands is a
write, a wait and a wake-up, which was half of what a mail cost.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

MALFORMED: Final = -1
"""The code of what is no reply of SMTP's."""

_MOST_BYTES: Final = 32_768
"""Of replies that wait to be read; more is no server's honest answer."""


class Reply(NamedTuple):
    """`text` is the first line's, after the code."""

    code: int
    text: str


class Wire(asyncio.Protocol):
    """Takes over a connected transport. One caller at a time; after `OSError` or a cancelled call
    nobody knows where the conversation stands: `close` it."""

    def __init__(self, transport: asyncio.Transport, timeout: float, pipelining: bool) -> None:
        self._transport, self._timeout, self._pipelining = transport, timeout, pipelining
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._first: bytes | None = None
        self._replies: list[Reply] = []
        self._wanted = 0
        self._waiter: asyncio.Future[None] | None = None
        transport.set_protocol(self)

    @property
    def open(self) -> bool:
        """Whether there is a connection still, as far as is known here."""
        return not self._transport.is_closing()

    async def offer(self, commands: Sequence[bytes]) -> list[Reply]:
        """The replies to whole command lines, as of `ask`; a server that takes them only one after
        the other is not told what comes after a refusal."""
        if self._pipelining:
            return await self.ask(b"".join(commands), len(commands))
        replies: list[Reply] = []
        for command in commands:
            replies += await self.ask(command, 1)
            if not 200 <= replies[-1].code < 400:
                break
        return replies

    async def ask(self, data: bytes, count: int) -> list[Reply]:
        """Write, and return `count` replies in order; fewer when the connection ended after some.

        Raises `ConnectionError` when it ended before any, `TimeoutError` when they do not come.
        """
        if not self.open:
            raise ConnectionResetError
        waiter = self._waiter = self._loop.create_future()
        self._wanted = count
        timer = self._loop.call_later(self._timeout, self._give_up)
        try:
            self._transport.write(data)
            await waiter
        finally:
            timer.cancel()
            self._waiter, self._wanted = None, 0
            replies, self._replies = self._replies, []
        return replies

    def data_received(self, data: bytes) -> None:
        """Replies, whole or in pieces. What nobody asked for is the server's goodbye."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._line(line)
        unasked = len(self._replies) > self._wanted or (self._buffer and not self._wanted)
        if unasked or len(self._buffer) > _MOST_BYTES:
            self.close()
        elif self._replies and len(self._replies) == self._wanted:
            self._wake()

    def _line(self, line: bytes) -> None:
        if self._first is None:
            self._first = line
        if line[3:4] == b"-":
            return
        code = int(line[:3]) if line[:3].isdigit() and len(line.strip()) >= 3 else MALFORMED
        text = self._first[4:].strip().decode("utf-8", "replace")
        self._replies.append(Reply(code, text))
        self._first = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits gets what came, or a `ConnectionError`."""
        if self._replies:
            self._wake()
        else:
            self._wake(exc if isinstance(exc, ConnectionError) else ConnectionResetError())

    def _give_up(self) -> None:
        self._wake(TimeoutError())

    def _wake(self, error: Exception | None = None) -> None:
        if self._waiter is None or self._waiter.done():
            return
        if error:
            self._waiter.set_exception(error)
        else:
            self._waiter.set_result(None)

    def close(self) -> None:
        """End the connection without a word."""
        self._transport.abort()
