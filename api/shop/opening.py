"""The shop's first day: goods on shelves nobody has filled yet, and words that know their names."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from api.services import Services
from api.shop import words
from api.shop.products import PRODUCTS, SKUS
from tocsin.records import InventoryChange, encode
from tocsin.topics import INVENTORY

LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When the shelves were filled, at version 0: whatever a replay or a producer says comes later."""


class Opening:
    """Once per process, by whoever looks first. Twice is harmless: event ids are the same."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._busy = asyncio.Lock()
        self._filled: set[str] = set()
        self._worded = False

    async def stock(self) -> Mapping[str, int | None]:
        """What is left of each product. None: its shelf is just being filled."""
        found = await self._services.subscriptions.available(SKUS)
        stock = dict(zip(SKUS, found, strict=True))
        async with self._busy:
            await self._fill([s for s, left in stock.items() if left is None])
            await self._word()
        return stock

    async def _fill(self, skus: list[str]) -> None:
        empty = [sku for sku in skus if sku not in self._filled]
        lines = [(sku, encode(opening(sku))) for sku in empty]
        await self._services.publish.many(INVENTORY, lines)
        self._filled |= set(empty)

    async def _word(self) -> None:
        services = self._services
        if not self._worded and not words.has_words(services.catalogue):
            now = services.clock.now()
            step = partial(words.step, words.version(now))
            await services.wording.change(words.NAME, step, now)
        self._worded = True


def opening(sku: str) -> InventoryChange:
    """A product's first stock."""
    return InventoryChange(
        event_id=f"shop:opening:{sku}",
        sku=sku,
        occurred_at=LONG_AGO,
        available=PRODUCTS[sku].opening,
        version=0,
    )
