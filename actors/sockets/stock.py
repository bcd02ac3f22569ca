"""Live stock: what is left of the watched SKUs, told to whoever watches them.

The rule that keeps an old value from following a newer one: a publication only says *which* SKUs
changed; *how much* is left is read from the store, by one reader, one read after the other, and
each read begins after what caused it (the change was applied, the socket is on the list). So values
are sent in the order the store had them, the last one is the store's, and whatever happens between
a read and its answer is published again and read again. A publication may come late, twice or in
the wrong order; while one could have been missed everything watched is read anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

import msgspec

from actors.sockets import close_codes, frames
from actors.sockets.hub import STOCK, Hub
from actors.sockets.socket import Socket

Read = Callable[[Sequence[str]], Awaitable[list[int | None]]]
"""What is left of each, None where the SKU was never heard of, in one call."""

MOST: Final = 1_000
"""SKUs in one read."""

_changes: Final = msgspec.json.Decoder(list[tuple[str, int]])


class StockFeed:
    """Who waits for which value, and the one reader. Lives in one event loop."""

    def __init__(self, hub: Hub, read: Read) -> None:
        self._hub, self._read = hub, read
        self._asked: dict[str, set[Socket]] = {}
        """SKUs to be read, each with the sockets that are told even if nothing changed."""
        self._told: dict[str, int] = {}
        """What all who watch a SKU were last told."""
        self._wake = asyncio.Event()

    def watch(self, socket: Socket, before: Collection[str], skus: Collection[str]) -> None:
        """Let a socket hear of these SKUs instead of those: soon what is left of each that is known
        and then every change."""
        self._hub.watch(socket, before, skus)
        for sku in before:
            if STOCK + sku not in self._hub.audiences:
                self._told.pop(sku, None)
        for sku in skus:
            self._ask(sku, socket)

    def changed(self, payload: bytes) -> None:
        """What streams publish (keys.STOCK_CHANGED). SKUs that nobody watches cost nothing more."""
        for sku, _ in _changes.decode(payload):
            if STOCK + sku in self._hub.audiences:
                self._ask(sku)

    def missed(self) -> None:
        """Changes may have been published that were not heard."""
        for audience in self._hub.audiences:
            if audience.startswith(STOCK):
                self._ask(audience.removeprefix(STOCK))

    async def run(self) -> None:
        """Read and tell until cancelled. Raises what Redis raises and `StoreEmptied`: call it
        again, nothing is forgotten."""
        while True:
            await self._wake.wait()
            skus = [sku for sku, _ in zip(self._asked, range(MOST), strict=False)]
            # whoever asks from here on is answered by the next read
            asked = {sku: self._asked.pop(sku) for sku in skus}
            try:
                left = await self._read(skus)
            except BaseException:
                for sku, sockets in asked.items():
                    self._asked.setdefault(sku, set()).update(sockets)
                raise
            if not self._asked:
                self._wake.clear()
            for sku, available in zip(skus, left, strict=True):
                if available is not None:
                    self._tell(sku, available, asked[sku])
                    await asyncio.sleep(0)  # there may be thousands of sockets for each

    def _ask(self, sku: str, *sockets: Socket) -> None:
        self._asked.setdefault(sku, set()).update(sockets)
        self._wake.set()

    def _tell(self, sku: str, available: int, newcomers: Collection[Socket]) -> None:
        watching = self._hub.audiences.get(STOCK + sku)
        if not watching:
            return
        frame = frames.frame(frames.Stock(sku, available))
        if self._told.get(sku) != available:
            self._told[sku] = available
            self._hub.broadcast(STOCK + sku, frame)
            return
        for socket in watching.intersection(newcomers):
            if socket.writable:
                socket.write(frame)
            else:
                socket.end(close_codes.SLOW)
