"""Restocks that told somebody, and what became of those who were told."""

from datetime import datetime

import msgspec
from redis.asyncio import Redis

from api.ops.books import Books
from api.ops.fresh import AWAY
from api.trace import utc
from tocsin.store.waiting import Waiting


class Wave(msgspec.Struct, frozen=True):
    """Everyone who waited for `sku` is told at once. People are counted, whatever their channels:
    `delivered` on any, `failed` on all that were tried. `waiting` is who waits for it now; null is
    not known."""

    sku: str
    at: datetime
    available: int
    told: int
    delivered: int
    failed: int
    clicked: int
    waiting: int | None


class Waves:
    """From the books, and who waits now from the store."""

    def __init__(self, books: Books, redis: Redis) -> None:
        self._books, self._waiting = books, Waiting(redis)

    async def newest(self, limit: int) -> list[Wave]:
        """The newest first. Raises `EngineUnavailable` without ClickHouse."""
        rows = await self._books.waves(limit)
        waiting = await self._now([row["sku"] for row in rows])
        return [
            Wave(**{**row, "at": utc(row["at"]), "waiting": waiting.get(row["sku"])})
            for row in rows
        ]

    async def _now(self, skus: list[str]) -> dict[str, int]:
        try:
            return await self._waiting.of(skus)
        except AWAY:
            return {}
