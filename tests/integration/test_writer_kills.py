"""kill -9 twenty times in one run, of ClickHouse too: every row is there once, counted once."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.client import connect
from analytics.migrate import migrate
from tests.integration.clickhouse import environment, start_engine, stop, url_of
from tests.integration.conftest import free_port
from tests.integration.writing import Traffic
from tocsin.kafka import ensure_topics
from tocsin.settings import Settings

pytestmark = pytest.mark.integration

LIVES: Final = 20
WITH_CLICKHOUSE: Final = (5, 11, 17)
_SENT: Final = 60
_PLAN: Final = "SELECT max(at) FROM tocsin.writer_plans"
_COUNTED: Final = """
SELECT (SELECT sum(deliveries) FROM tocsin.deliveries_by_minute),
    (SELECT sum(deliveries) FROM tocsin.deliveries_by_hour),
    (SELECT sum(deliveries) FROM tocsin.deliveries_by_day)
"""


@contextmanager
def lives(settings: Settings) -> Iterator[Callable[[], int]]:
    """Begins a writer and gives its pid, as often as it is called."""
    argv = [sys.executable, "-m", "tests.integration.mortal_writer"]
    with (settings.data_dir / "writers.log").open("wb") as log:
        process = subprocess.Popen(
            argv, env=environment(settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, text=True,
        )  # fmt: skip
    assert process.stdin
    assert process.stdout
    stdin, stdout = process.stdin, process.stdout

    def begin() -> int:
        stdin.write("\n")
        stdin.flush()
        return int(stdout.readline())

    try:
        yield begin
    finally:
        process.kill()
        process.communicate()


class Place:
    """ClickHouse over one directory, which can die and come back."""

    def __init__(self, home: Path) -> None:
        self._home, self._port = home, free_port()
        self.settings = Settings(clickhouse_url=url_of(self._port), data_dir=home)

    async def begin(self) -> None:
        """Start, with no merges: a row written twice stays two rows."""
        self._process = start_engine(self._port, self._home / "data", self._home)
        self.client: AsyncClient = await connect(self.settings, database="default")
        await migrate(self.client)
        for table in ("requests", "accepted", "deliveries"):
            await self.client.command(f"SYSTEM STOP MERGES tocsin.{table}")

    async def die(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        await self.client.close()

    async def end(self) -> None:
        await self.client.close()
        stop(self._process)


async def happens(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(90):
        while not await check():
            await asyncio.sleep(0.005)


class Books:
    """What a life has come to, asked for while it works."""

    def __init__(self, place: Place, traffic: Traffic) -> None:
        self._place, self._traffic = place, traffic

    async def note(self) -> None:
        self._plan, self._had = await self._planned(), max(await self._rows())

    async def planned(self) -> bool:
        return await self._planned() != self._plan

    async def begun(self) -> bool:
        return max(await self._rows()) > self._had

    async def written(self) -> bool:
        return min(await self._rows()) >= self._traffic.sent

    async def counted(self) -> bool:
        """The rollups are written after the rows, by the same insert."""
        return min(await self.counts()) >= self._traffic.sent and await self.written()

    async def counts(self) -> tuple[int, int, int]:
        """Deliveries by the minutes, the hours and the days."""
        minutes, hours, days = (await self._place.client.query(_COUNTED)).result_rows[0]
        return int(minutes), int(hours), int(days)

    async def _rows(self) -> tuple[int, int, int]:
        return await self._traffic.rows(self._place.client)

    async def _planned(self) -> object:
        return (await self._place.client.query(_PLAN)).result_rows[0][0]


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


async def test_twenty_deaths_and_every_row_is_there_once(kafka_url: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    await place.begin()
    settings = place.settings.model_copy(update={"kafka_url": kafka_url})
    await ensure_topics(settings)
    traffic = Traffic(settings)
    books = Books(place, traffic)
    try:
        with lives(settings) as begin:
            for number in range(LIVES):
                await books.note()
                await traffic.send(_SENT)
                pid = begin()
                await happens((books.planned, books.begun, books.written)[number % 3])
                if number in WITH_CLICKHOUSE:
                    await place.die()
                    await place.begin()
                _kill(pid)
            await traffic.send(_SENT)
            begin()
            await happens(books.counted)
            total = _SENT * (LIVES + 1)
            assert await traffic.rows(place.client) == (total, total, total)
            assert await books.counts() == (total, total, total)
    finally:
        await place.end()
