"""SMTP on a socket: a thin shell around `SmtpSession`."""

import asyncio
import socket
from typing import Final, cast

from loadtest.sandbox.smtp_session import Office, Output, SmtpSession

IDLE: Final = 300.0


class SmtpConnection(asyncio.Protocol):
    """One client. Reading stops while an answer is held back, so a flood meets TCP's own window."""

    def __init__(self, office: Office, connections: set["SmtpConnection"]) -> None:
        self._session, self._connections = SmtpSession(office), connections
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._draining = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's classes; they only behave so
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        self._transport.write(self._session.greeting())
        self._watch_idle()

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._write(self._session.receive(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._transport = None
        if self._timer:
            self._timer.cancel()

    def _write(self, output: Output) -> None:
        if self._transport is None:
            return
        if output.data:
            self._transport.write(output.data)
        if output.delay:
            self._transport.pause_reading()
            self._loop.call_later(output.delay, self._after_delay, output.cut)
        elif output.cut:
            self._transport.abort()
        elif output.close or self._draining:
            self._transport.close()

    def _after_delay(self, cut: bool) -> None:
        if self._transport is None:
            return
        if cut:
            self._transport.abort()
            return
        self._transport.resume_reading()
        self._write(self._session.resume())

    def _watch_idle(self) -> None:
        """One timer per connection, moved only when it fires: costs nothing per message."""
        left = self._heard + IDLE - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._watch_idle)
        else:
            self.say_goodbye(b"421 4.4.2 Idle for too long\r\n")

    def say_goodbye(self, reply: bytes = b"421 4.3.2 Shutting down\r\n") -> None:
        """End an idle conversation; one with an answer still due ends after that answer."""
        self._draining = True
        if self._transport is not None and not self._session.busy:
            self._transport.write(reply)
            self._transport.close()


class SmtpServer:
    """Listens until `stop`."""

    def __init__(self, server: asyncio.Server, connections: set[SmtpConnection]) -> None:
        self._server, self._connections = server, connections

    def stop(self) -> None:
        """Take no more connections, say 421 to those that are idle."""
        self._server.close()
        for connection in list(self._connections):
            connection.say_goodbye()


async def serve_smtp(sock: socket.socket, office: Office) -> SmtpServer:
    """Serve SMTP on a bound socket."""
    connections: set[SmtpConnection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SmtpConnection(office, connections), sock=sock)
    return SmtpServer(server, connections)
