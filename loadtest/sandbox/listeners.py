"""Ports and HTTP listeners inside this process's own loop.

Granian's embeddable server shares our loop, so SMTP, TLS and control share one journal without a
lock. It does not say which port it got, nor fails cleanly when the port is taken; hence `Reserved`.
"""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP2Settings
from granian.server.embed import Server

from tocsin.errors import ConfigError

HOST: Final = "127.0.0.1"
_STOP_SECONDS: Final = 5


def reserve(flag: str, port: int, last: int = 0) -> socket.socket:
    """A socket bound to `port`, shareable by this process's own listener and nobody else's.

    Port 0 means the one used `last`, so that a restarted sandbox is found again, else a free one.
    Raises `ConfigError` naming `flag` when `port` is taken.
    """
    if port == 0:
        if last:
            with suppress(ConfigError):
                return reserve(flag, last)
        return _bound(0)
    try:
        # SO_REUSEPORT would let us share with another sandbox unnoticed: ask who listens first
        if not _somebody_listens(port):
            return _bound(port)
        reason = "something listens there"
    except OSError as error:
        reason = str(error.strerror)
    raise ConfigError(f"{flag} {port} cannot be used: {reason}")


def _somebody_listens(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _bound(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((HOST, port))
    return sock


def port_of(sock: socket.socket) -> int:
    """The port a reserved socket holds."""
    return int(sock.getsockname()[1])


class HttpListener:
    """One Granian server: TLS with HTTP/2 or HTTP/1.1 when a certificate is given, else plain."""

    def __init__(
        self, app: Any, reserved: socket.socket, cert: Path | None = None, key: Path | None = None
    ) -> None:
        self._reserved = reserved
        self._server = Server(
            app, HOST, port_of(reserved), interface=Interfaces.RSGI, http=HTTPModes.auto,
            websockets=False, backlog=1024, log_enabled=False, ssl_cert=cert, ssl_key=key,
            ssl_protocol_min=SSLProtocols.tls12,
            # Apple allows 1,000 streams a connection
            http2_settings=HTTP2Settings(max_concurrent_streams=1_000),
        )  # fmt: skip
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once it accepts connections."""
        self._task = asyncio.create_task(self._server.serve())
        while not await self._accepts():
            if self._task.done():
                self._task.result()
                raise RuntimeError("the HTTP listener ended while starting")
            await asyncio.sleep(0.01)

    async def _accepts(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(HOST, port_of(self._reserved))
        except OSError:
            return False
        writer.close()
        return True

    async def stop(self) -> None:
        """Answer what is at work, for at most 5 s, and close."""
        self._server.stop()  # type: ignore[no-untyped-call]
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_STOP_SECONDS)
        self._reserved.close()
