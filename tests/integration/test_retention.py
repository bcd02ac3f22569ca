"""Raw rows go after 30 days, and the books stay sound while they go, table by table."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.audit import audit
from analytics.stats import totals
from analytics.writer.rows import Request
from analytics.writer.tables import (
    ACCEPTED,
    DECISIONS,
    DELIVERIES,
    INVENTORY,
    REQUESTS,
    milliseconds,
)
from tests.integration.test_analytics_schema import insert, outcome
from tocsin.records import InventoryChange, Outcome, State

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(microsecond=0)
RAW = ("requests", "accepted", "deliveries", "decisions")


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
async def expiring(clickhouse: AsyncClient) -> AsyncIterator[AsyncClient]:
    """Rows go when their time is up, as they do outside of tests."""
    for table in RAW:
        await clickhouse.command(f"SYSTEM START TTL MERGES tocsin.{table}")
    yield clickhouse
    await clickhouse.command("SYSTEM STOP TTL MERGES")


async def left(client: AsyncClient, table: str) -> list[str]:
    """Who is still there when everything due has gone."""
    await client.command(f"OPTIMIZE TABLE tocsin.{table} FINAL")
    found = await client.query(f"SELECT notification_id FROM tocsin.{table} ORDER BY 1")
    return [name for (name,) in found.result_rows]


def request(name: str, accepted_at: datetime, due_at: datetime | None = None) -> Request:
    times = milliseconds(accepted_at), milliseconds(due_at or accepted_at)
    return Request(name, "u", "SALE_OFFER", *times, "notification.requests", 0, 1)


def at(name: str, state: State, accepted_at: datetime, at: datetime, **more: Any) -> Outcome:
    return outcome(name, state, accepted_at=accepted_at, at=at, **more)


async def test_the_rows_of_a_delivery_go_together(expiring: AsyncClient) -> None:
    ages = {"young": 1, "almost": 29, "old": 33, "ancient": 300}
    for name, days in ages.items():
        then = ago(days)
        await insert(expiring, REQUESTS, request(name, then))
        await insert(expiring, ACCEPTED, at(name, State.ACCEPTED, then, then))
        await insert(expiring, DELIVERIES, at(name, State.DELIVERED, then, then))
        await insert(expiring, DECISIONS, at(name, State.ACCEPTED, then, then, trace="a=b"))
    for table in RAW:
        assert await left(expiring, table) == ["almost", "young"], table


async def test_what_ended_late_is_kept_from_its_end_and_a_cancellation_for_a_year(
    expiring: AsyncClient,
) -> None:
    long_ago = ago(60)
    await insert(
        expiring, DELIVERIES, at("late", State.DELIVERED, long_ago, ago(20)),
        at("cancelled", State.CANCELLED, long_ago, ago(59)),
        at("gone", State.EXPIRED, long_ago, long_ago),
        at("cancelled-long-ago", State.CANCELLED, ago(500), ago(499)),
    )  # fmt: skip
    assert await left(expiring, "deliveries") == ["cancelled", "late"]


async def test_absurd_times_are_kept_or_go_and_take_nobody_with_them(
    expiring: AsyncClient,
) -> None:
    never, once = datetime(2298, 1, 1, tzinfo=UTC), datetime(1901, 1, 1, tzinfo=UTC)
    for table, state in ((ACCEPTED, State.ACCEPTED), (DELIVERIES, State.DELIVERED)):
        rows = [("a", ago(1)), ("b", never), ("c", once)]
        await insert(expiring, table, *(at(name, state, then, then) for name, then in rows))
        assert await left(expiring, table.name) == ["a", "b"]


async def test_a_stock_change_lasts_from_when_it_was_written(expiring: AsyncClient) -> None:
    """A replay sends the changes of the year of its file."""
    await insert(expiring, INVENTORY, InventoryChange("e", "lamp", ago(5_000), available=3))
    await expiring.command("SYSTEM START TTL MERGES tocsin.inventory")
    await expiring.command("OPTIMIZE TABLE tocsin.inventory FINAL")
    found = await expiring.query("SELECT sku FROM tocsin.inventory")
    assert found.result_rows == [("lamp",)]


async def test_half_a_delivery_past_its_time_is_no_drift(clickhouse: AsyncClient) -> None:
    """One table's merge comes hours before another's."""
    old = ago(31.5)
    await insert(clickhouse, DELIVERIES, at("end-left", State.DELIVERED, old, old))
    await insert(clickhouse, ACCEPTED, at("beginning-left", State.ACCEPTED, old, old))
    await insert(clickhouse, REQUESTS, request("request-left", old), request("all-left", old))
    await insert(clickhouse, ACCEPTED, at("all-left", State.ACCEPTED, old, old))
    await insert(clickhouse, DELIVERIES, at("all-left", State.DELIVERED, old, old))
    report = await audit(clickhouse, NOW, quiescent=True)
    assert (report.drift, report.findings) == (0, ())
    assert [(book["accepted"], book["delivered"]) for book in report.books] == [(1, 1)]
    assert (await totals(clickhouse))["push"]["in_flight"] == 0


async def scheduled(client: AsyncClient, name: str, days_ago: float, due: datetime) -> None:
    """Asked for long ago, for an hour later than raw rows are kept: its opening is gone."""
    then = ago(days_ago)
    await insert(client, REQUESTS, request(name, then, due))
    waits = at(name, State.DEFERRED, then, then, due_at=due, reason="send_at")
    await insert(client, DECISIONS, waits)


async def test_what_was_scheduled_far_ahead_is_still_answered_for(expiring: AsyncClient) -> None:
    await scheduled(expiring, "waits", 60, NOW + timedelta(days=20))
    await scheduled(expiring, "lost", 60, ago(5))
    await scheduled(expiring, "sent", 60, ago(5))
    await insert(expiring, DELIVERIES, at("sent", State.DELIVERED, ago(60), ago(5)))
    await scheduled(expiring, "cancelled", 60, ago(5))
    await insert(expiring, DELIVERIES, at("cancelled", State.CANCELLED, ago(60), ago(50)))
    # ended at once, for it was a repetition: that end is gone, and it never waited
    await insert(expiring, REQUESTS, request("ended-at-once", ago(60), ago(5)))
    for table in RAW:
        await left(expiring, table)
    report = await audit(expiring, NOW)
    found = {f.kind: [example.id for example in f.first] for f in report.findings}
    assert found == {"lost_request": ["lost"], "unrouted": ["waits"]}


async def test_the_hours_of_a_rollup_outlive_the_rows(expiring: AsyncClient) -> None:
    old = ago(100)
    await insert(expiring, DELIVERIES, at("old", State.DELIVERED, old, old))
    assert await left(expiring, "deliveries") == []
    for level, kept in (("minute", 0), ("hour", 1), ("day", 1)):
        await expiring.command(f"SYSTEM START TTL MERGES tocsin.deliveries_by_{level}")
        await expiring.command(f"OPTIMIZE TABLE tocsin.deliveries_by_{level} FINAL")
        found = await expiring.query(f"SELECT sum(deliveries) FROM tocsin.deliveries_by_{level}")
        assert found.result_rows == [(kept,)], level
