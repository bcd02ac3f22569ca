"""Insisting: the same bytes and token until ClickHouse has them, and one line about an outage."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import OperationalError

from analytics.writer.block import Block, Range
from analytics.writer.rows import Record
from analytics.writer.sink import GaveUp, Sink, shipments
from analytics.writer.tables import Table
from tocsin.records import Outcome, OutcomeBatch, State, encode

AT = datetime(2026, 11, 22, tzinfo=UTC)


class Flaky:
    """Stands in for ClickHouse's client: fails so many times, then remembers what it was sent."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.tries: list[tuple[str, Sequence[Sequence[Any]], Any]] = []

    async def insert(self, table: str, data: Any, **options: Any) -> None:
        self.tries.append((table, data, options.get("settings")))
        if self.failures:
            self.failures -= 1
            raise OperationalError("connection refused\nand much more")


def _block() -> Block:
    def outcome(state: State) -> Outcome:
        return Outcome("n:push", "n", "u", "push", "T", state, 1, AT, AT)

    value = encode(OutcomeBatch([outcome(State.DELIVERED), outcome(State.ACCEPTED)]))
    return Block("delivery.outcomes", (Range(0, 0, 1),), (Record(0, 0, 0, value),))


async def _forever(_: float) -> bool:
    return True


async def _never(_: float) -> bool:
    return False


def _unseen(*_: object) -> None:
    pass


async def test_what_failed_is_sent_again_unchanged(caplog: pytest.LogCaptureFixture) -> None:
    client = Flaky(failures=3)
    with caplog.at_level(logging.INFO, "tocsin.writer"):
        await Sink(client, _forever, _unseen).insert([_block()])  # type: ignore[arg-type]
    assert [table for table, *_ in client.tries] == ["accepted"] * 4 + ["deliveries"]
    assert all(attempt == client.tries[0] for attempt in client.tries[:4])
    settings = {
        "insert_deduplication_token": _block().token,
        "deduplicate_blocks_in_dependent_materialized_views": 1,
    }
    assert client.tries[0][2] == client.tries[-1][2] == settings
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "connection refused" in said[0]
    assert "and much more" not in said[0]
    assert "back" in said[1]


async def test_it_gives_up_when_there_is_no_time_to_wait() -> None:
    with pytest.raises(GaveUp):
        await Sink(Flaky(failures=1), _never, _unseen).insert([_block()])  # type: ignore[arg-type]


async def test_it_tells_of_rows_when_they_are_there_and_not_before() -> None:
    told: list[tuple[str, int]] = []
    client = Flaky(failures=2)

    def wrote(table: Table, columns: Sequence[Sequence[Any]]) -> None:
        told.append((table.name, len(client.tries)))

    await Sink(client, _forever, wrote).insert([_block()])  # type: ignore[arg-type]
    assert told == [("accepted", 3), ("deliveries", 4)]


async def test_the_plan_names_every_range() -> None:
    client = Flaky(failures=0)
    await Sink(client, _forever, _unseen).plan([_block()])  # type: ignore[arg-type]
    ((table, rows, _),) = client.tries
    assert table == "writer_plans"
    assert rows[0][:4] == ("delivery.outcomes", 0, 0, "0:0-1")


def test_unreadable_records_make_no_shipment() -> None:
    block = Block("delivery.outcomes", (Range(0, 0, 1),), (Record(0, 0, 0, b"?"),))
    assert shipments([block]) == []
