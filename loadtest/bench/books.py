"""How many deliveries were made, as ClickHouse has it; sampled while the system works."""

import asyncio
import time
from typing import NamedTuple

from clickhouse_connect.driver import AsyncClient

from analytics.client import connect
from tocsin.settings import Settings

_ENDED = "SELECT count() FROM tocsin.deliveries WHERE state = 'delivered'"


class Sample(NamedTuple):
    """`ended` deliveries in ClickHouse at `at` (monotonic seconds)."""

    at: float
    ended: int


class Books:
    """Polls once a second while running; `samples` grows."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AsyncClient | None = None
        self.samples: list[Sample] = []

    async def ended(self) -> int:
        """Delivered rows in `deliveries` now."""
        if self._client is None:
            self._client = await connect(self._settings)
        row = (await self._client.query(_ENDED)).first_row
        return int(row[0]) if row else 0

    async def close(self) -> None:
        """Drop the connection."""
        if self._client is not None:
            await self._client.close()

    async def watch(self) -> None:
        """Sample every second until cancelled."""
        while True:
            self.samples.append(Sample(time.monotonic(), await self.ended()))
            await asyncio.sleep(1)


def rate(samples: list[Sample]) -> float:
    """Deliveries per second between the first and the last sample."""
    first, last = samples[0], samples[-1]
    return (last.ended - first.ended) / (last.at - first.at)


def slowest(samples: list[Sample], seconds: int) -> float:
    """The slowest stretch of `seconds` one-second samples: sustained means that one too."""
    stretches = [samples[i : i + seconds + 1] for i in range(max(1, len(samples) - seconds))]
    return min(rate(stretch) for stretch in stretches)
