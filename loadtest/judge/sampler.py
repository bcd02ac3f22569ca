"""The system from outside, about once a second: CPU, memory, lag, deliveries ended.

Each of the three sources is read at its own pace, so a ClickHouse that takes its time leaves no gap
in the memory. Nothing that cannot be read ends the run: it is left out, and said once in the log.
"""

import asyncio
import contextlib
import logging
import time
from typing import Any, Final

import msgspec

from loadtest.judge import machine
from loadtest.judge.readers import Behind, Booked, Books, Reader, Used
from loadtest.load.run_dir import Lines, RunDir, Sample
from tocsin.settings import Settings

log = logging.getLogger(__name__)

_EVERY: Final = 1.0
_STALE: Final = 3.0
"""Seconds after which a reading is no longer of now."""


class _Latest:
    """The last reading of one source, while it is fresh."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._at, self._value = 0.0, None
        self._told = False

    @property
    def value(self) -> Any:
        """None when there is none of the last seconds."""
        return self._value if time.monotonic() - self._at < _STALE else None

    async def keep(self) -> None:
        """Read again and again until cancelled."""
        try:
            while True:
                began = time.monotonic()
                await self._once()
                await asyncio.sleep(max(0.05, began + _EVERY - time.monotonic()))
        finally:
            await self._let_go()

    async def _once(self) -> None:
        try:
            async with asyncio.timeout(self._reader.patience):
                self._value = await self._reader.read()
            self._at, self._told = time.monotonic(), False
        except Exception as error:  # whatever it is, the run is worth more than the reading
            if not self._told:
                log.warning("%s: %s: %s", type(self._reader).__name__, type(error).__name__, error)
            self._told = True
            await self._let_go()

    async def _let_go(self) -> None:
        with contextlib.suppress(Exception):
            await self._reader.close()


class Sampler:
    """Samples a run into its directory. `root_pid` is `tocsin up`'s process, None where the system
    is elsewhere: then there is neither CPU nor memory."""

    def __init__(self, run_dir: RunDir, settings: Settings, root_pid: int | None) -> None:
        self._dir = run_dir
        self._used = _Latest(Used(root_pid)) if root_pid is not None else None
        self._behind = _Latest(Behind(settings))
        self._booked = _Latest(Booked(settings))

    async def watch(self) -> None:
        """A line about every second until cancelled. Says first what it runs on."""
        self._dir.machine.write_bytes(msgspec.json.encode(machine.here()))
        sources = [source for source in (self._used, self._behind, self._booked) if source]
        tasks = [asyncio.create_task(source.keep()) for source in sources]
        lines = Lines(self._dir.samples)
        try:
            while True:
                await asyncio.sleep(_EVERY)
                lines.write(self._sample())
                lines.flush()
        finally:
            lines.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _sample(self) -> Sample:
        used = self._used.value if self._used else None
        books: Books | None = self._booked.value
        return Sample(
            at=round(time.time(), 3),
            cpu={part: round(s, 2) for part, s in used.cpu.items()} if used else {},
            rss=used.rss if used else {},
            lag=self._behind.value or {},
            ended=books.ended if books else None,
            backlog=max(0, books.opened - books.ended) if books else None,
        )
