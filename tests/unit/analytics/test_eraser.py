"""When the eraser looks, and what it does about what it finds."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import OperationalError

from analytics.writer.eraser import Eraser
from analytics.writer.forgotten import CLEARED, Forgotten
from analytics.writer.rows import Erasure
from analytics.writer.tables import DEAD_LETTERS, ERASURES, REQUESTS


@dataclass
class Answer:
    result_rows: Sequence[tuple[Any, ...]]


@dataclass
class FakeClickHouse:
    """Answers as told: who was erased, how many rows of theirs each table has, what is at work."""

    erased: list[tuple[str, int]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    at_work: set[str] = field(default_factory=set)
    away: bool = False
    looks: int = 0
    mutated: list[str] = field(default_factory=list)
    looked: asyncio.Event = field(default_factory=asyncio.Event)

    async def query(self, sql: str, parameters: Any = None) -> Answer:
        if self.away:
            self.looked.set()
            raise OperationalError("connection refused\nand much more")
        if "FROM tocsin.erased" in sql and "count()" not in sql:
            self.looks += 1
            self.looked.set()
            return Answer(self.erased)
        if "system.mutations" in sql:
            return Answer([(int(parameters["table"] in self.at_work),)])
        table = sql.partition("SELECT count() FROM tocsin.")[2].split()[0]
        return Answer([(self.rows.get(table, 0),)])

    async def command(self, sql: str, settings: Any = None) -> None:
        self.mutated.append(sql.split()[2])


async def looked(server: FakeClickHouse) -> None:
    async with asyncio.timeout(5):
        await server.looked.wait()
    server.looked.clear()


async def test_a_table_is_looked_through_until_nothing_is_found() -> None:
    server, forgotten = FakeClickHouse([("ada", 10**13)], {"requests": 3}), Forgotten()
    eraser = Eraser(server, forgotten)  # type: ignore[arg-type]
    assert await eraser.look() is True
    assert server.mutated == ["tocsin.requests"]
    assert forgotten.suspects == [REQUESTS]
    server.at_work.add("requests")
    assert await eraser.look() is True
    server.at_work.clear()
    server.rows.clear()
    assert await eraser.look() is False
    assert server.mutated == ["tocsin.requests"]


async def test_nobody_erased_is_nothing_to_do() -> None:
    server = FakeClickHouse(rows={"requests": 3})
    assert await Eraser(server, Forgotten()).look() is False  # type: ignore[arg-type]
    assert server.mutated == []


async def test_a_table_that_could_not_be_looked_through_stays_suspect() -> None:
    server, forgotten = FakeClickHouse([("ada", 10**13)]), Forgotten()
    eraser = Eraser(server, forgotten)  # type: ignore[arg-type]
    forgotten.learn({"ada": 10**13})
    server.away = True
    with pytest.raises(OperationalError):
        await eraser.look()
    assert forgotten.suspects == list(CLEARED)


async def test_news_wakes_it_and_stop_ends_it() -> None:
    server, forgotten, stop = FakeClickHouse(), Forgotten(), asyncio.Event()
    run = asyncio.create_task(Eraser(server, forgotten).run(stop))  # type: ignore[arg-type]
    await looked(server)
    forgotten.wrote(ERASURES, ERASURES.fill([Erasure("ada", 1, False)]))
    await looked(server)
    forgotten.wrote(DEAD_LETTERS, [["x"]] * len(DEAD_LETTERS.names))
    stop.set()
    await asyncio.wait_for(run, 5)
    assert server.looks == 2


async def test_what_is_left_waits_its_minute_whatever_the_news() -> None:
    server, forgotten = FakeClickHouse([("ada", 10**13)], {"requests": 1}), Forgotten()
    stop = asyncio.Event()
    run = asyncio.create_task(Eraser(server, forgotten).run(stop))  # type: ignore[arg-type]
    await looked(server)
    while not server.mutated:
        await asyncio.sleep(0)
    forgotten.news.set()
    for _ in range(50):
        await asyncio.sleep(0)
    assert server.looks == 1
    stop.set()
    await asyncio.wait_for(run, 5)


async def test_an_outage_is_one_line_and_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    server, stop = FakeClickHouse(away=True), asyncio.Event()
    eraser = Eraser(server, Forgotten(), every=0.01)  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO, "tocsin.eraser"):
        run = asyncio.create_task(eraser.run(stop))
        await looked(server)
        server.away = False
        while not server.looks:
            await looked(server)
        stop.set()
        await asyncio.wait_for(run, 5)
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "erasing waits for ClickHouse: connection refused"
