"""The rollups count every delivery once, whatever was written twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.audit import audit
from analytics.named import query
from analytics.writer.block import Block, Range
from analytics.writer.recount import LEVELS, Pace, Recount
from analytics.writer.rows import Record
from analytics.writer.sink import Sink
from analytics.writer.tables import DELIVERIES
from tests.integration.test_analytics_schema import insert, outcome
from tocsin.records import Outcome, OutcomeBatch, State, encode

pytestmark = pytest.mark.integration

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
AT = HOUR + timedelta(minutes=20, seconds=5)
AT_ONCE = Pace(quiet=0, patience=0, slack=0)


async def _always(_: float) -> bool:
    return True


def _unseen(*_: object) -> None:
    pass


async def written(client: AsyncClient, offset: int, *outcomes: Outcome) -> None:
    """One Kafka record as one block, through the writer's own code."""
    record = Record(0, offset, 0, encode(OutcomeBatch(list(outcomes))))
    block = Block("delivery.outcomes", (Range(0, offset, offset + 1),), (record,))
    await Sink(client, _always, _unseen).insert([block])


def delivered(name: str, at: datetime = AT, **more: Any) -> Outcome:
    return outcome(name, State.DELIVERED, accepted_at=HOUR, at=at, template_version=2, **more)


@asynccontextmanager
async def unmerged(client: AsyncClient) -> AsyncIterator[None]:
    """A row written twice stays two rows meanwhile."""
    await client.command("SYSTEM STOP MERGES tocsin.deliveries")
    try:
        yield
    finally:
        await client.command("SYSTEM START MERGES tocsin.deliveries")


async def counted(client: AsyncClient, level: str) -> dict[datetime, int]:
    """Bucket → deliveries, without the empty ones."""
    found = await client.query(
        f"SELECT at, sum(deliveries) AS n FROM tocsin.deliveries_by_{level}"
        " GROUP BY at HAVING n != 0"
    )
    return {at.replace(tzinfo=UTC): int(n) for at, n in found.result_rows}


async def hourly(client: AsyncClient) -> dict[datetime, int]:
    """The same by the raw table."""
    found = await client.query(
        "SELECT hour, sum(deliveries) FROM tocsin.deliveries_hourly GROUP BY hour"
    )
    return {at.replace(tzinfo=UTC): int(n) for at, n in found.result_rows}


async def miscounted(client: AsyncClient) -> list[str]:
    """What the audit says of the rollups."""
    report = await audit(client, datetime.now(UTC))
    kinds = [finding for finding in report.findings if finding.kind == "miscounted"]
    return [f"{hour.id}: {hour.detail}" for finding in kinds for hour in finding.first]


async def settled(client: AsyncClient) -> int:
    """Look until nothing is wrong any more; how much was."""
    recount = Recount(client, asyncio.Lock(), lambda: True, AT_ONCE)
    wrong = 0
    async with asyncio.timeout(60):
        while found := await recount.look():
            wrong += found
    return wrong


async def test_what_is_written_is_counted_at_once_by_minute_hour_and_day(
    clickhouse: AsyncClient,
) -> None:
    later = AT + timedelta(minutes=50)
    await written(clickhouse, 0, delivered("a"), delivered("b"))
    # another block that comes to the same counts is no repetition
    await written(clickhouse, 1, delivered("c"), delivered("d"))
    await written(clickhouse, 2, delivered("e", later), outcome("e", State.ACKED, at=later))
    minute = timedelta(minutes=1)
    assert await counted(clickhouse, "minute") == {
        AT.replace(second=0): 4, later - (later - HOUR) % minute: 1,
    }  # fmt: skip
    assert await counted(clickhouse, "hour") == {HOUR: 4, HOUR + timedelta(hours=1): 1}
    assert sum((await counted(clickhouse, "day")).values()) == 5
    found = await clickhouse.query(
        "SELECT channel, type, template_id, template_version, provider, state, sum(deliveries)"
        " FROM tocsin.deliveries_by_hour GROUP BY ALL"
    )
    assert found.result_rows == [("push", "SALE_OFFER", "sale", 2, "", "delivered", 5)]
    assert await settled(clickhouse) == 0


@pytest.mark.parametrize("merged", [True, False])
async def test_the_same_end_in_two_records_counts_once(
    clickhouse: AsyncClient, merged: bool
) -> None:
    async with unmerged(clickhouse):
        await written(clickhouse, 0, delivered("a"), delivered("b"))
        await written(clickhouse, 1, delivered("a"), delivered("c"))
        assert await miscounted(clickhouse) == [f"{HOUR:%Y-%m-%d %H}:00: 4 counted, 3 there"]
        if not merged:
            assert await settled(clickhouse) == len(LEVELS)
    await clickhouse.command("OPTIMIZE TABLE tocsin.deliveries FINAL")
    assert await settled(clickhouse) == (len(LEVELS) if merged else 0)
    assert await miscounted(clickhouse) == []
    for level in LEVELS:
        assert sum((await counted(clickhouse, level)).values()) == 3, level
    assert await counted(clickhouse, "hour") == await hourly(clickhouse)


@pytest.mark.parametrize("hours", [1, 26])
@pytest.mark.parametrize("merged", [True, False])
async def test_a_repetition_that_says_a_later_hour_is_counted_in_the_first(
    clickhouse: AsyncClient, hours: int, merged: bool
) -> None:
    """A worker died before it committed, and the next one sent the outcome again, by its clock."""
    await written(clickhouse, 0, delivered("a"), delivered("b"))
    assert await settled(clickhouse) == 0
    again = delivered("a", AT + timedelta(hours=hours), provider="another")
    await written(clickhouse, 1, again)
    if merged:
        await clickhouse.command("OPTIMIZE TABLE tocsin.deliveries FINAL")
    assert await settled(clickhouse) > 0
    for level in LEVELS:
        assert sum((await counted(clickhouse, level)).values()) == 2, level
    assert await counted(clickhouse, "hour") == await hourly(clickhouse) == {HOUR: 2}


async def test_clocks_that_differ_over_the_end_of_an_hour_do_no_harm(
    clickhouse: AsyncClient,
) -> None:
    end = HOUR + timedelta(hours=1)
    await written(clickhouse, 0, delivered("a", end + timedelta(seconds=1)))
    assert await settled(clickhouse) == 0
    await written(clickhouse, 1, delivered("a", end - timedelta(seconds=1)))
    await clickhouse.command("OPTIMIZE TABLE tocsin.deliveries FINAL")
    assert await settled(clickhouse) > 0
    assert await counted(clickhouse, "hour") == await hourly(clickhouse) == {HOUR: 1}


async def test_the_same_mistake_twice_is_corrected_twice(clickhouse: AsyncClient) -> None:
    await written(clickhouse, 0, delivered("a"))
    for offset in (1, 2, 3):
        await written(clickhouse, offset, delivered("a"))
        assert await settled(clickhouse) == len(LEVELS)
    assert await counted(clickhouse, "hour") == {HOUR: 1}


async def test_an_hour_is_looked_at_when_it_is_quiet_or_has_waited_long(
    clickhouse: AsyncClient,
) -> None:
    async def wrong(pace: Pace) -> int:
        return await Recount(clickhouse, asyncio.Lock(), lambda: True, pace).look()

    await written(clickhouse, 0, delivered("a"))
    await written(clickhouse, 1, delivered("a"))
    assert await wrong(Pace(quiet=3600, patience=4 * 10**9, slack=0)) == 0
    assert await wrong(Pace(quiet=3600, patience=3600, slack=0)) == len(LEVELS)
    assert await wrong(Pace(quiet=3600, patience=0, slack=0)) == 0
    left = await clickhouse.query("SELECT count() FROM tocsin.rollup_looks")
    assert left.result_rows[0][0] > 0


async def test_what_was_there_before_the_rollups_is_counted_by_the_first_looks(
    clickhouse: AsyncClient,
) -> None:
    await insert(clickhouse, DELIVERIES, delivered("a"), delivered("b"))
    for level in LEVELS:
        await clickhouse.command(f"TRUNCATE TABLE tocsin.deliveries_by_{level}")
    await settled(clickhouse)
    assert await counted(clickhouse, "hour") == {HOUR: 2}


async def test_the_hourly_question_reads_the_rollup(clickhouse: AsyncClient) -> None:
    await written(clickhouse, 0, delivered("a"), delivered("b"))
    found = await clickhouse.query(query("hourly"), {"hours": 48})
    assert found.result_rows == [(HOUR.replace(tzinfo=None), "push", "delivered", 2)]


async def test_times_beyond_the_calendar_stop_nothing(clickhouse: AsyncClient) -> None:
    early, late = (datetime(year, 6, 1, tzinfo=UTC) for year in (1901, 2298))
    odd = [outcome(f"o{at.year}", State.DELIVERED, accepted_at=at, at=at) for at in (early, late)]
    days = [
        outcome(f"d{day}", State.DELIVERED, accepted_at=AT - timedelta(days=day), at=AT)
        for day in range(150)
    ]
    await written(clickhouse, 0, *odd, *days, delivered("a"))
    assert (await counted(clickhouse, "hour"))[HOUR] == 151
    assert await settled(clickhouse) == 0
