"""A client as ours behaves: after any close it comes back, with resume, and keeps what it heard."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tocsin.store.tickets import Tickets

_AGAIN_SECONDS = 0.05
_HANDSHAKE_SECONDS = 10


class Resuming:
    """One device of a person. `port` says where to connect, each time anew."""

    def __init__(self, user: str, tickets: Tickets, port: Callable[[], int]) -> None:
        self.user, self._tickets, self._port = user, tickets, port
        self._position: dict[str, Any] | None = None
        self.heard: list[tuple[int, str]] = []
        """(offset, notification id) in the order they came, over all its sockets."""
        self.closes: list[int] = []
        """The code each socket was closed with."""
        self.broken: list[dict[str, Any]] = []
        """What no client should be told: frames that say a gap cannot be filled, and errors."""
        self.ready = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with connect(
                    f"ws://127.0.0.1:{self._port()}/", compression=None,
                    open_timeout=_HANDSHAKE_SECONDS,
                ) as ws:  # fmt: skip
                    await self._listen(ws)
            except (OSError, InvalidHandshake, ConnectionClosed, EOFError):
                pass
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _listen(self, ws: ClientConnection) -> None:
        hello: dict[str, Any] = {"op": "hello"}
        hello["ticket"] = await self._tickets.issue(f"user:{self.user}")
        if self._position:
            hello["resume"] = self._position
        await ws.send(json.dumps(hello))
        try:
            async for message in ws:
                self._hear(json.loads(message))
        finally:
            if ws.close_code is not None:
                self.closes.append(ws.close_code)

    def _hear(self, frame: dict[str, Any]) -> None:
        if frame["op"] == "ready":
            self.ready += 1
            if frame.get("recovered") is False:
                self.broken.append(frame)
            if not frame.get("recovered"):
                self._position = {"epoch": frame["epoch"], "offset": frame["offset"]}
        elif frame["op"] == "notification":
            self.heard.append((frame["offset"], frame["notification_id"]))
            assert self._position is not None
            self._position["offset"] = frame["offset"]
        elif frame["op"] == "error":
            self.broken.append(frame)


async def all_shown(
    clients: Sequence[Resuming], deliver: Callable[[int], Awaitable[object]], first: int
) -> int:
    """Deliver the `first` and, until every client has all there is, one more: a shard that a busy
    machine makes slow is left alone for some seconds, and the next delivery brings what was not
    pushed. The last one's number."""
    for number in range(first, first + 20):
        await deliver(number)
        with suppress(TimeoutError):
            await until(lambda n=number: all(len(c.heard) >= n for c in clients), 6)  # type: ignore[misc]
            return number
    raise AssertionError(f"missing: {[(c.user, len(c.heard)) for c in clients]}")


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 60) -> None:
    """Return when `holds` does."""
    async with asyncio.timeout(seconds):
        while True:
            found = holds()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)
