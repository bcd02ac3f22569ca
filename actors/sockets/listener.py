"""The listening socket: who may connect at all, and the limits of what they may send."""

import asyncio
import errno
import math
import random
import re
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Origin

from actors.sockets import close_codes
from actors.sockets.reception import Reception
from actors.sockets.socket import Socket
from tocsin.errors import ConfigError
from tocsin.metrics import CONNECTIONS, SLOW_CLOSED
from tocsin.settings import Settings

MAX_MESSAGE: Final = 64 * 1024
MAX_UNREAD: Final = 64 * 1024
"""Bytes written and not taken by the client's side before a socket counts as held up."""

_LOOPBACK: Final = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
_QUEUE: Final = 4
"""Unread messages kept per socket: 64 KB each, from whoever connects."""

_TICK_SECONDS: Final = 0.05


def origins(public_url: str) -> list[Origin | re.Pattern[str] | None]:
    """Pages that may connect: the shop's own and loopback. Programs send no Origin and may too."""
    url = urlsplit(public_url)
    return [Origin(f"{url.scheme}://{url.netloc}".lower()), _LOOPBACK, None]


def health(connection: ServerConnection, request: Request) -> Response | None:
    """What a load balancer asks; everything else is a WebSocket."""
    return connection.respond(HTTPStatus.OK, "ok\n") if request.path == "/healthz" else None


async def listen(settings: Settings, shard: str, reception: Reception) -> Server:
    """Serve on `settings.host`, `settings.ws_port`; shards of one host share the port.

    Raises `ConfigError` when the port belongs to somebody else.
    """
    try:
        return await serve(
            partial(_counted, reception, shard),
            settings.host,
            settings.ws_port,
            origins=origins(settings.public_url),
            process_request=health,
            create_connection=Socket,
            compression=None,
            max_size=MAX_MESSAGE,
            max_queue=_QUEUE,
            write_limit=MAX_UNREAD,
            ping_interval=None,  # see keepalive.py
            server_header=None,
            reuse_port=True,
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        where = f"{settings.host}:{settings.ws_port}"
        raise ConfigError(f"TOCSIN_WS_PORT: {where} is taken by another program") from None


async def close_spread(server: Server, seconds: float) -> None:
    """Stop accepting and close the sockets, in random order, evenly over `seconds`, so that they do
    not all come back at once. Returns when the last is gone."""
    server.close(close_connections=False)
    left = [socket for socket in server.connections if isinstance(socket, Socket)]
    random.shuffle(left)
    ticks = max(1, math.ceil(seconds / _TICK_SECONDS))
    share = math.ceil(len(left) / ticks)
    while left:
        now, left = left[:share], left[share:]
        for socket in now:
            socket.end(close_codes.RESTART)
        if left:
            await asyncio.sleep(_TICK_SECONDS)
    await server.wait_closed()


async def _counted(reception: Reception, shard: str, connection: ServerConnection) -> None:
    assert isinstance(connection, Socket)
    connection.forget_handshake()
    connection.on_slow = SLOW_CLOSED.labels(shard).inc
    with CONNECTIONS.labels(shard).track_inprogress():
        await reception.receive(connection)
