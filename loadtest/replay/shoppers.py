"""Customers with the shop open: whoever logs in gets a WebSocket, as a browser would, and reads."""

import asyncio
import logging
from collections import OrderedDict
from contextlib import suppress
from typing import Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tocsin.settings import Settings
from tocsin.tokens import mint

log = logging.getLogger(__name__)

_MOST: Final = 50
_SECONDS: Final = 5.0
_SESSION_SECONDS: Final = 12 * 3600
_decode = msgspec.json.Decoder(dict[str, object]).decode


class Shoppers:
    """The customers online, the last `most` to log in. `received` counts what they were told.

    A socket that cannot be had is no error: the inbox keeps everything, and the customer would
    see it there.
    """

    def __init__(self, settings: Settings, most: int = _MOST) -> None:
        self._settings, self._most = settings, most
        self._url = settings.ws_url or f"ws://{settings.host}:{settings.ws_port}"
        self._online: OrderedDict[str, tuple[ClientConnection, asyncio.Task[None]]] = OrderedDict()
        self.received = 0

    async def arrive(self, customer: str) -> None:
        """Open the customer's socket, unless it is open; the one longest online may have to go."""
        if customer in self._online:
            self._online.move_to_end(customer)
            return
        try:
            socket = await asyncio.wait_for(self._open(customer), _SECONDS)
        except (OSError, TimeoutError, WebSocketException) as error:
            log.debug("no socket for %s: %s", customer, error)
            return
        self._online[customer] = (socket, asyncio.create_task(self._read(customer, socket)))
        if len(self._online) > self._most:
            await self._leave(next(iter(self._online)))

    async def leave(self) -> None:
        """Everybody goes home."""
        await asyncio.gather(*(self._leave(customer) for customer in list(self._online)))

    async def _open(self, customer: str) -> ClientConnection:
        token = mint(
            self._settings,
            subject=customer,
            kind="user",
            scopes=frozenset(),
            seconds=_SESSION_SECONDS,
        )
        socket = await connect(self._url, compression=None, proxy=None, open_timeout=_SECONDS)
        await socket.send(msgspec.json.encode({"op": "hello", "token": token}).decode())
        await socket.recv()
        return socket

    async def _read(self, customer: str, socket: ClientConnection) -> None:
        with suppress(WebSocketException):
            async for frame in socket:
                said = _decode(frame)
                if said.get("op") == "notification":
                    self.received += 1
                    ack = {"op": "ack", "offset": said["offset"]}
                    await socket.send(msgspec.json.encode(ack).decode())
        self._online.pop(customer, None)

    async def _leave(self, customer: str) -> None:
        socket, reading = self._online.pop(customer)
        await socket.close()
        await reading
