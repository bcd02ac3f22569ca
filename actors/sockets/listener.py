"""The listening socket: who may connect at all, how many at once, and what they may send."""

import asyncio
import errno
import math
import random
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Origin

from actors.sockets import close_codes
from actors.sockets.rate import AcceptBudget
from actors.sockets.reception import Reception
from actors.sockets.socket import CLOSE_SECONDS, Socket
from tocsin.errors import ConfigError
from tocsin.metrics import ACCEPTS_REFUSED, CONNECTIONS, SLOW_CLOSED
from tocsin.origins import LOOPBACK, of_url
from tocsin.settings import Settings

MAX_MESSAGE: Final = 64 * 1024
MAX_UNREAD: Final = 64 * 1024
"""Bytes written and not taken by the client's side before a socket counts as held up."""

OPEN_SECONDS: Final = 10.0
"""For the HTTP handshake; what has not finished it by then is dropped."""

_BACKLOG: Final = 4_096
"""Connections the kernel may hold for us. Of the 100 that are usual, a crowd that comes back fills
all: whose place was lost believes itself connected, and waits for half a minute."""

_QUEUE: Final = 4
"""Unread messages kept per socket: 64 KB each, from whoever connects."""

GONE_SECONDS: Final = CLOSE_SECONDS + 1.0
"""After the last close frame: for it to be answered, or the connection cut."""

_RETRY_SECONDS: Final = (1, 5)
_TICK_SECONDS: Final = 0.05


def origins(public_url: str, more: Sequence[str] = ()) -> list[Origin | re.Pattern[str] | None]:
    """Pages that may connect: the shop's own, those of TOCSIN_ORIGINS, and any of this machine
    while the shop itself is on it (of a public one they would be pages of the visitor's machine).
    Programs send no Origin and may too."""
    own = of_url(public_url)
    here = [LOOPBACK] if LOOPBACK.fullmatch(own) else []
    return [*(Origin(origin) for origin in (own, *more)), *here, None]


class Door:
    """Lets sockets in, and counts them. Lives in one event loop, with one server.

    `now` is a clock in seconds that does not go back.
    """

    def __init__(
        self, settings: Settings, shard: str, reception: Reception, now: Callable[[], float]
    ) -> None:
        self._reception, self._shard, self._now = reception, shard, now
        self._budget = AcceptBudget(settings.shard_accepts, now())
        self.inside = 0
        """Sockets open now."""
        self._nobody = asyncio.Event()
        self._nobody.set()

    def look(self, connection: ServerConnection, request: Request) -> Response | None:
        """The answer to a request that becomes no WebSocket; None lets it go on.

        A load balancer is told the truth, also over a connection it made before the end began.
        """
        if request.path == "/healthz":
            if connection.server.is_serving():
                return connection.respond(HTTPStatus.OK, "ok\n")
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "draining\n")
        if self._budget.take(self._now()):
            return None
        ACCEPTS_REFUSED.labels(self._shard).inc()
        response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "too many at once\n")
        response.headers["Retry-After"] = str(random.randint(*_RETRY_SECONDS))
        return response

    async def receive(self, connection: ServerConnection) -> None:
        """A socket's stay."""
        assert isinstance(connection, Socket)
        connection.forget_handshake()
        connection.on_slow = SLOW_CLOSED.labels(self._shard).inc
        self.inside += 1
        self._nobody.clear()
        try:
            with CONNECTIONS.labels(self._shard).track_inprogress():
                await self._reception.receive(connection)
        finally:
            self.inside -= 1
            if not self.inside:
                self._nobody.set()

    async def empty(self) -> None:
        """Return when no socket is left."""
        await self._nobody.wait()


async def listen(settings: Settings, door: Door) -> Server:
    """Serve on `settings.host`, `settings.ws_port`; shards of one host share the port.

    Raises `ConfigError` when the port belongs to somebody else.
    """
    try:
        return await serve(
            door.receive,
            settings.host,
            settings.ws_port,
            origins=origins(settings.public_url, settings.web_origins()),
            process_request=door.look,
            create_connection=Socket,
            compression=None,
            open_timeout=OPEN_SECONDS,
            max_size=MAX_MESSAGE,
            max_queue=_QUEUE,
            write_limit=MAX_UNREAD,
            ping_interval=None,  # see keepalive.py
            server_header=None,
            reuse_port=True,
            backlog=_BACKLOG,
        )
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        where = f"{settings.host}:{settings.ws_port}"
        raise ConfigError(f"TOCSIN_WS_PORT: {where} is taken by another program") from None


async def close_spread(server: Server, door: Door, seconds: float) -> None:
    """Stop accepting and close the sockets, in random order, evenly over `seconds`, so that they do
    not all come back at once.

    Returns when the last is gone, GONE_SECONDS after the window at the latest. Whoever is still in
    the handshake then is let in no more.
    """
    server.close(close_connections=False)
    await asyncio.sleep(0)  # it is a task of the library's that stops the listening
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
    with suppress(TimeoutError):
        await asyncio.wait_for(door.empty(), GONE_SECONDS)
