"""Migrations on a real engine, and the views over planted rows."""

import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.named import names, query
from analytics.stats import totals
from analytics.writer.rows import Erasure, Request
from analytics.writer.tables import (
    ACCEPTED,
    DEAD_LETTERS,
    DECISIONS,
    DELIVERIES,
    ENGAGEMENT,
    ERASURES,
    REQUESTS,
    TABLES,
    Table,
    milliseconds,
)
from tocsin.records import DeadLetter, Engagement, Outcome, State

pytestmark = pytest.mark.integration

AT = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=2)


async def insert(client: AsyncClient, table: Table, *rows: Any) -> None:
    """Rows as the writer would insert them."""
    await client.insert(
        table.name, table.fill(rows), table.names, column_type_names=table.types,
        column_oriented=True, database="tocsin",
    )  # fmt: skip


def outcome(name: str, state: State, channel: str = "push", **more: Any) -> Outcome:
    """One state of delivery `name`:`channel`."""
    fields: dict[str, Any] = {
        "delivery_id": f"{name}:{channel}", "notification_id": name, "user_id": "u",
        "channel": channel, "type": "SALE_OFFER", "state": state, "attempt": 1,
        "accepted_at": AT, "at": AT + timedelta(milliseconds=40), "template_id": "sale",
    }  # fmt: skip
    return Outcome(**(fields | more))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_the_writer_and_the_schema_agree(clickhouse: AsyncClient, table: Table) -> None:
    described = await clickhouse.query(f"DESCRIBE TABLE tocsin.{table.name}")
    there = {
        row["name"]: row["type"] for row in described.named_results() if not row["default_type"]
    }
    assert dict(zip(table.names, table.types, strict=True)) == there


async def test_one_notification_is_found_by_the_sorting_key(clickhouse: AsyncClient) -> None:
    rows = [outcome(f"n{number:06}", State.DELIVERED) for number in range(30_000)]
    await insert(clickhouse, DELIVERIES, *rows)
    await insert(clickhouse, ACCEPTED, *rows)
    for name in ("notification", "told"):
        text = (files("api") / "sql" / f"{name}.sql").read_text()
        given = {"id": "n020000", "deliveries": ["n020000:push", "n020000:a:b"]}
        found = await clickhouse.query(f"EXPLAIN indexes = 1 {text}", given)
        plan = "\n".join(line for (line,) in found.result_rows)
        read = re.findall(r"Parts: 1 \| Granules: (\d+)", plan)
        assert read, plan
        assert set(read) == {"1"}, plan
        assert (await clickhouse.query(text, given)).result_rows


async def test_every_named_query_runs(clickhouse: AsyncClient) -> None:
    at = "2026-11-22 00:00:00"
    parameters = {"hours": 24, "lost": at, "settled": at, "kinds": ["conflict"]}
    for name in names():
        await clickhouse.query(query(name), parameters)


async def test_a_row_written_twice_counts_once(clickhouse: AsyncClient) -> None:
    for _ in range(3):
        await insert(clickhouse, ACCEPTED, outcome("n", State.ACCEPTED))
        await insert(clickhouse, DELIVERIES, outcome("n", State.DELIVERED))
    books = await clickhouse.query(query("conservation"))
    assert books.result_rows == [("SALE_OFFER", "push", 1, 1, 0, 0, 0, 0, 0, 0)]
    assert (await totals(clickhouse))["push"]["delivered"] == 1
    hourly = await clickhouse.query("SELECT deliveries FROM tocsin.deliveries_hourly")
    assert hourly.result_rows == [(1,)]


async def test_every_delivery_is_in_exactly_one_column_of_the_books(
    clickhouse: AsyncClient,
) -> None:
    ends = [State.DELIVERED, State.FAILED, State.SUPPRESSED, State.EXPIRED, State.CANCELLED]
    await insert(clickhouse, ACCEPTED, *(outcome(f"n{i}", State.ACCEPTED) for i in range(7)))
    await insert(clickhouse, DELIVERIES, *(outcome(f"n{i}", end) for i, end in enumerate(ends)))
    await insert(clickhouse, DELIVERIES, outcome("n5", State.DELIVERED))
    await insert(clickhouse, DELIVERIES, outcome("n5", State.FAILED))
    books = await clickhouse.query(query("conservation"))
    assert books.result_rows == [("SALE_OFFER", "push", 7, 1, 1, 1, 1, 1, 1, 1)]


async def test_totals_know_every_channel_and_what_is_on_its_way(clickhouse: AsyncClient) -> None:
    await insert(clickhouse, ACCEPTED, *(outcome(n, State.ACCEPTED, "sms") for n in "abc"))
    await insert(clickhouse, DELIVERIES, outcome("a", State.FAILED, "sms"))
    found = await totals(clickhouse)
    assert set(found) == {"push", "sms", "email", "inapp"}
    assert found["sms"] == {
        "accepted": 3, "delivered": 0, "failed": 1, "suppressed": 0, "expired": 0, "cancelled": 0,
        "in_flight": 2,
    }  # fmt: skip


async def test_engagement_is_counted_by_people_and_by_machines(clickhouse: AsyncClient) -> None:
    for name in "abcd":
        await insert(clickhouse, ACCEPTED, outcome(name, State.ACCEPTED))
        await insert(clickhouse, DELIVERIES, outcome(name, State.DELIVERED))

    def event(number: int, kind: Any, name: str, **more: Any) -> Engagement:
        return Engagement(str(number), kind, name, "u", AT, **more)

    events = [
        event(1, "open", "a", channel="push"), event(2, "click", "a", channel="push"),
        event(2, "click", "a", channel="push"), event(3, "click", "b"),
        event(4, "click", "c", channel="push", bot=True, bot_reason="scanner"),
        event(5, "convert", "b", channel="push"), event(6, "click", "d", channel="email"),
    ]  # fmt: skip
    for each in events:
        await insert(clickhouse, ENGAGEMENT, each)
    rate = await clickhouse.query(query("click_through"))
    assert rate.result_rows == [("SALE_OFFER", "push", "sale", 4, 2, 1, 0.5)]
    funnel = await clickhouse.query(query("delivery_funnel"))
    assert funnel.result_rows == [("SALE_OFFER", "push", 4, 4, 1, 2, 1)]


async def test_the_latency_of_log_in_codes_is_from_acceptance_to_hand_off(
    clickhouse: AsyncClient,
) -> None:
    rows = [
        outcome(f"c{i}", State.DELIVERED, "sms", type="OTP", at=AT + timedelta(milliseconds=i))
        for i in range(1, 101)
    ]
    late = outcome("x", State.FAILED, "sms", type="OTP", at=AT + timedelta(hours=1))
    await insert(clickhouse, DELIVERIES, *rows, late)
    latency = await clickhouse.query(
        "SELECT delivered, p50_ms, p95_ms, p99_ms FROM tocsin.otp_latency"
    )
    assert latency.result_rows == [(100, 51, 96, 100)]


def request(name: str, offset: int, at: datetime = AT) -> Request:
    """As the writer makes it of record `offset` of notification.requests, partition 0."""
    return Request(
        name, "u", "T", milliseconds(at), milliseconds(at), "notification.requests", 0, offset
    )


def letter(offset: int, name: str = "", field: str = "data.x", **more: Any) -> DeadLetter:
    """About that record, or with a name about one request of it."""
    fields: dict[str, Any] = {"reason": "is required", "payload_b64": "e30=", "at": AT} | more
    return DeadLetter(
        "notification.requests", 0, offset, "Invalid", field=field, notification_id=name, **fields
    )


async def named(client: AsyncClient, view: str) -> list[str]:
    found = await client.query(f"SELECT notification_id FROM tocsin.{view} ORDER BY 1")
    return [name for (name,) in found.result_rows]


async def test_a_request_without_a_delivery_is_unrouted_unless_it_was_dead_lettered(
    clickhouse: AsyncClient,
) -> None:
    names = ["routed", "whole", "one-of-2", "two-of-2", "beside", "next-log", "open"]
    offsets = [1, 2, 3, 3, 4, 5, 6]
    await insert(clickhouse, REQUESTS, *map(request, names, offsets))
    await insert(clickhouse, ACCEPTED, outcome("routed", State.ACCEPTED))
    letters = [
        letter(1, "routed"),  # was put back
        letter(2, field=""),
        letter(3, "one-of-2"),
        letter(4, field="requests[1].type"),
        letter(5, at=AT - timedelta(minutes=11)),
    ]
    await insert(clickhouse, DEAD_LETTERS, *letters)
    assert await named(clickhouse, "dead_requests") == ["one-of-2", "whole"]
    assert await named(clickhouse, "unrouted") == ["beside", "next-log", "open", "two-of-2"]


async def test_two_requests_of_one_record_that_are_wrong_alike_are_two_letters(
    clickhouse: AsyncClient,
) -> None:
    await insert(clickhouse, REQUESTS, request("a", 1), request("b", 1))
    await insert(clickhouse, DEAD_LETTERS, letter(1, "a"), letter(1, "b"))
    await clickhouse.command("OPTIMIZE TABLE tocsin.dead_letters FINAL")
    assert await named(clickhouse, "dead_requests") == ["a", "b"]


async def test_what_was_put_back_is_dead_until_it_is_routed(clickhouse: AsyncClient) -> None:
    await insert(clickhouse, REQUESTS, request("a", 1))
    await insert(clickhouse, DEAD_LETTERS, letter(1, "a"))
    await insert(clickhouse, REQUESTS, request("a", 9))
    assert await named(clickhouse, "dead_requests") == ["a"]
    await insert(clickhouse, ACCEPTED, outcome("a", State.ACCEPTED))
    assert await named(clickhouse, "dead_requests") == await named(clickhouse, "unrouted") == []


async def test_a_wait_is_the_newest_one_of_a_delivery(clickhouse: AsyncClient) -> None:
    hours = [AT + timedelta(hours=n) for n in range(4)]
    looks = [
        outcome("n", State.ACCEPTED, trace="a=b", at=hours[0]),
        outcome("n", State.DEFERRED, at=hours[0], due_at=hours[3], reason="send_at"),
        outcome("n", State.DEFERRED, at=hours[1], due_at=hours[2], reason="quiet_hours"),
        outcome("n", State.RETRY, "sms", at=hours[1], reason="503"),
    ]
    await insert(clickhouse, DECISIONS, *looks)
    found = await clickhouse.query(
        "SELECT channel, state, reason, since, due_at FROM tocsin.waits ORDER BY channel"
    )
    first, second = (at.replace(tzinfo=None) for at in hours[1:3])
    assert found.result_rows == [
        ("push", "deferred", "quiet_hours", first, second),
        ("sms", "retry", "503", first, first),
    ]


async def test_erasures_are_forgotten_after_thirty_days(clickhouse: AsyncClient) -> None:
    now = datetime.now(UTC)
    old, new = (milliseconds(now - timedelta(days=n)) for n in (31, 29))
    await insert(clickhouse, ERASURES, Erasure("old", old, False), Erasure("new", new, False))
    found = await clickhouse.query("SELECT user_id FROM tocsin.erased")
    assert found.result_rows == [("new",)]
    await clickhouse.command("SYSTEM START TTL MERGES tocsin.erasures")
    await clickhouse.command("OPTIMIZE TABLE tocsin.erasures FINAL")
    there = await clickhouse.query("SELECT user_id FROM tocsin.erasures")
    assert there.result_rows == [("new",)]
