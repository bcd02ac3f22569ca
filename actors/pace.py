"""The fleet's rate, kept by every sender: tokens taken in bulk, spent one by one."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from actors.ledger import patiently
from tocsin.metrics import THROTTLED_SECONDS
from tocsin.store.buckets import Buckets

MOST: Final = 200
KEEP_SECONDS: Final = 1.0
"""Tokens not spent by then are thrown away: a burst of old ones would break the rate."""


class Pace:
    """One bucket, `rate` per second over the whole fleet; bursts up to a fifth of a second."""

    def __init__(
        self,
        buckets: Buckets,
        name: str,
        rate: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buckets, self._name, self._rate, self._now = buckets, name, rate, now
        self._want = max(1, min(MOST, int(rate / 10)))
        self._capacity = max(float(self._want), rate / 5)
        self._lock = asyncio.Lock()
        self._left, self._until = 0, 0.0
        self._throttled = THROTTLED_SECONDS.labels(name)

    async def one(self) -> None:
        """Return when one message may go out."""
        while not self._spend():
            async with self._lock:
                if not self._left or self._now() >= self._until:
                    await self._refill()

    def _spend(self) -> bool:
        if self._left <= 0 or self._now() >= self._until:
            return False
        self._left -= 1
        return True

    async def _refill(self) -> None:
        granted, wait_ms = await patiently(
            lambda: self._buckets.take(self._name, self._want, self._rate, self._capacity)
        )
        if granted:
            self._left, self._until = granted, self._now() + KEEP_SECONDS
            return
        self._throttled.inc(wait_ms / 1000)
        await asyncio.sleep(wait_ms / 1000)
