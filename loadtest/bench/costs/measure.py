"""Runs phases on a system and says what was counted and used in each."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from loadtest.bench.books import Books
from loadtest.bench.costs.feed import Feed
from loadtest.bench.costs.phases import Phase
from loadtest.bench.costs.topics import Passed, Topics
from loadtest.bench.running import Running
from loadtest.bench.usage import Usage
from loadtest.capacity import costs, drivers
from loadtest.capacity.arrivals import Flow
from tocsin.errors import EngineUnavailable

_PATIENCE: Final = 120.0
_SETTLE: Final = 1.5
"""Seconds after the last row: commits, the last flush and merges are its costs too."""


class Measured:
    """One phase's outcome: the record for the file, and what else was seen."""

    def __init__(
        self,
        phase: Phase,
        seconds: float,
        before: Mapping[str, Usage],
        after: Mapping[str, Usage],
        passed: Passed,
    ) -> None:
        self.phase, self.passed, self.after = phase, passed, after
        self.written = {
            part: used.written - before.get(part, Usage()).written for part, used in after.items()
        }
        self.read = {
            part: used.read - before.get(part, Usage()).read for part, used in after.items()
        }
        cpu = {
            part: round(max(0.0, used.cpu - before.get(part, Usage()).cpu), 3)
            for part, used in after.items()
        }
        self.record = costs.Phase(phase.name, round(seconds, 2), self._counts(seconds), cpu)

    def _counts(self, seconds: float) -> dict[str, float]:
        found: dict[str, float] = dict(self.phase.counts)
        found[drivers.BUSY] = round(seconds, 2) if found else 0
        if records := self.passed.records["requests"]:
            found[drivers.RECORDS] = records
        for channel in drivers.CHANNELS:
            if lots := self.passed.records[channel]:
                found[f"{channel} batches"] = lots
        return found

    @property
    def sent(self) -> tuple[tuple[Flow, ...], dict[str, float]]:
        """How it came, and what it was."""
        return self.phase.flows, self.phase.counts

    @property
    def deliveries(self) -> float:
        """All channels'."""
        return drivers.of("deliveries", self.phase.counts)


class Measure:
    """Of one running system."""

    def __init__(self, running: Running, feed: Feed, books: Books, topics: Topics) -> None:
        self._running, self._feed, self._books, self._topics = running, feed, books, topics

    async def idle(self, seconds: float) -> Measured:
        """Nothing is sent."""
        phase = Phase("idle", lambda _: asyncio.sleep(seconds), {})
        return await self.run(phase)

    async def run(self, phase: Phase) -> Measured:
        """Send it, wait until the last delivery is a row. Raises `EngineUnavailable` when it does
        not come."""
        wanted = await self._books.ended() + round(drivers.of("deliveries", phase.counts))
        before, start = self._running.usage(), time.monotonic()
        await phase.send(self._feed)
        await self._until(wanted, phase.name)
        if phase.counts:
            await asyncio.sleep(_SETTLE)
        seconds, after = time.monotonic() - start, self._running.usage()
        return Measured(phase, seconds, before, after, await self._topics.passed())

    async def _until(self, wanted: int, name: str) -> None:
        end = time.monotonic() + _PATIENCE
        while (ended := await self._books.ended()) < wanted:
            if time.monotonic() > end:
                reason = f"{wanted - ended} deliveries of the phase did not end as delivered"
                raise EngineUnavailable("the system", name, reason)
            await asyncio.sleep(0.5)
