"""A WebSocket as the rest sees it: write without waiting, know when to stop, close for certain."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import Event, State

from actors.sockets import close_codes, wire
from actors.sockets.close_codes import CloseCode

STALL_SECONDS: Final = 20.0
"""A client that leaves data unread for so long is closed; a ping would wait behind the data."""

CLOSE_SECONDS: Final = 5.0
"""For the close frame to get out and be answered; then the connection is cut."""

_OPEN: Final = State.OPEN


class Socket(ServerConnection):
    """The library's connection and the three things it lacks for sending without a task."""

    # the base class has a dict, and one attribute more doubles it: 1.8 KB on every connection
    __slots__ = ("_ending", "_heard", "_held", "_stall", "on_slow", "on_writable")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.on_writable: Callable[[], None] | None = None
        self.on_slow: Callable[[], None] | None = None
        self._heard = True
        self._held = False
        self._stall: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def writable(self) -> bool:
        """Open, and the client reads what it is sent (see listener.MAX_UNREAD)."""
        return not self._held and self._ending is None and self.protocol.state is _OPEN

    def forget_handshake(self) -> None:
        """Let go of the headers of both sides, 3 KB that nobody asks for again."""
        for part in (self.request, self.response):
            if part:
                part.headers.clear()

    def write(self, frame: bytes) -> None:
        """Send a text frame now; on a socket that is closing, nothing happens."""
        self.write_whole(wire.text(frame))

    def write_whole(self, data: bytes) -> None:
        """Send what is a frame of the protocol already; on a socket that is closing, nothing.

        It goes past the library's own sending, which costs as much again as the system call, and
        may, since: the library never keeps bytes back between two events of the loop, so order is
        kept; no extension is negotiated, so a frame is its header and its text; nobody sends a
        message in fragments, so no frame can come between two. Pongs and the close stay the
        library's.
        """
        if self.protocol.state is _OPEN:
            try:
                self.transport.write(data)
            except Exception as error:
                # the transport is gone already, and connection_lost is on its way
                self.logger.debug("not written: %r", error)

    def probe(self) -> None:
        """Ping; or close, if nothing was heard since the last ping. Whoever leaves data unread
        has a timer already, and a ping would wait behind the data."""
        if self._held:
            return
        if self._heard:
            self._heard = False
            self.write_whole(wire.PING)
        else:
            self.end(close_codes.INTERNAL)

    def end(self, code: CloseCode) -> None:
        """Begin to close. The first code given counts."""
        if self._ending is None:
            if code is close_codes.SLOW and self.on_slow and self.state is State.OPEN:
                self.on_slow()
            self._ending = self.loop.create_task(self._end(code))

    async def ended(self, code: CloseCode) -> None:
        """Close, and return when the connection is gone (after CLOSE_SECONDS at the latest).

        For whoever reads this socket: what still comes is thrown away, or the client's own close
        would wait behind it.
        """
        self.end(code)
        async for _ in self:
            pass

    async def _end(self, code: CloseCode) -> None:
        # the library's own close waits for ever on a client that reads nothing
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.close(code.code, code.name)
        except (TimeoutError, ConnectionClosed):
            self.transport.abort()

    def process_event(self, event: Event) -> None:
        # whole frames only: who sent half a one cannot answer a ping, and need not be waited for
        self._heard = True
        super().process_event(event)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # the library reads on when its queue has room, whatever the client leaves unread
        self.recv_messages.resume = self._read_on

    def _read_on(self) -> None:
        """Read, unless the client takes no answers or the queue of what it said is full."""
        if not (self._held or self.recv_messages.paused or self.transport.is_closing()):
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._held = True
        # whoever takes no answers gets no more of them: pings are answered below us, without end
        self.transport.pause_reading()
        self._stall = self.loop.call_later(STALL_SECONDS, self.end, close_codes.SLOW)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._held = False
        self._read_on()
        self._end_stall()
        if self.on_writable:
            self.on_writable()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_stall()
        self.on_writable = None
        super().connection_lost(exc)

    def _end_stall(self) -> None:
        if self._stall:
            self._stall.cancel()
            self._stall = None
