"""Receipts stand beside the end they are about: nothing counts twice, and nothing drifts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.audit import audit
from analytics.named import query
from analytics.stats import totals
from analytics.summary import summary
from analytics.writer.rows import Record, Request, fill
from analytics.writer.tables import ACCEPTED, DELIVERIES, REQUESTS, milliseconds
from streams.engage import engagements, receipts
from tests.integration.test_analytics_schema import insert, outcome
from tocsin.records import OutcomeBatch, State, encode
from tocsin.store.engaged import Deed
from tocsin.topics import ENGAGEMENT, OUTCOMES

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(microsecond=0)
SENT, ACKED_AT = NOW - timedelta(hours=3), NOW - timedelta(minutes=1)
ENDS = (State.DELIVERED, State.DELIVERED, State.EXPIRED)


def deed(kind: Any, name: str, at: datetime = ACKED_AT) -> Deed:
    return Deed(kind, "u", name, "SALE_OFFER", SENT.isoformat(), at)


async def written(client: AsyncClient, *deeds: Deed) -> None:
    """Through the records and the writer's own half of the schema."""
    batch = OutcomeBatch(receipts(deeds))
    topics = {
        OUTCOMES.name: [Record(0, 0, 0, encode(batch))],
        ENGAGEMENT.name: [Record(0, n, 0, encode(e)) for n, e in enumerate(engagements(deeds))],
    }
    for topic, records in topics.items():
        filled = fill(topic, records)
        assert filled.skipped == 0
        for table, rows in filled.rows.items():
            if rows:
                await insert(client, table, *rows)


async def opened(client: AsyncClient) -> None:
    times = milliseconds(SENT), milliseconds(SENT)
    for number in range(3):
        row = Request(f"n{number}", "u", "SALE_OFFER", *times, "notification.requests", 0, number)
        await insert(client, REQUESTS, row)
        beginning = outcome(f"n{number}", State.ACCEPTED, "inapp", accepted_at=SENT, at=SENT)
        await insert(client, ACCEPTED, beginning)


async def ended(client: AsyncClient) -> None:
    for number, end in enumerate(ENDS):
        row = outcome(f"n{number}", end, "inapp", accepted_at=SENT, at=SENT, provider="inbox")
        await insert(client, DELIVERIES, row)


async def counts(client: AsyncClient) -> dict[str, Any]:
    """Everything that counts deliveries, as it says now."""
    found: dict[str, Any] = {
        name: (await client.query(query(name), {"hours": 24})).result_rows
        for name in ("conservation", "hourly", "notifications", "totals", "otp_latency")
    }
    hourly = await client.query("SELECT * FROM tocsin.deliveries_hourly")
    report = await audit(client, NOW, quiescent=True)
    return found | {
        "by_hour": hourly.result_rows,
        "totals": await totals(client),
        "summary": await summary(client),
        "drift": (report.drift, report.findings),
    }


async def test_acknowledged_deliveries_count_once_wherever_they_are_counted(
    clickhouse: AsyncClient,
) -> None:
    await opened(clickhouse)
    await ended(clickhouse)
    before = await counts(clickhouse)
    assert before["drift"] == (0, ())
    acks = [deed("ack", f"n{number}") for number in range(3)]  # of the one that expired, too
    await written(clickhouse, *acks)
    await written(clickhouse, *acks)
    assert await counts(clickhouse) == before
    rows = await clickhouse.query(
        "SELECT provider, state, attempt, at FROM tocsin.deliveries FINAL"
        " WHERE delivery_id = 'n0:inapp' ORDER BY attempt DESC"
    )
    assert [row[:3] for row in rows.result_rows] == [
        ("inbox", "delivered", 1),
        ("socket", "acked", 0),
    ]
    assert rows.result_rows[1][3].replace(tzinfo=UTC) == ACKED_AT


async def test_a_receipt_before_its_end_is_on_record_is_no_end(clickhouse: AsyncClient) -> None:
    await opened(clickhouse)
    await written(clickhouse, deed("ack", "n0"), deed("ack", "n2"))
    assert (await totals(clickhouse))["inapp"]["in_flight"] == 3
    assert (await audit(clickhouse, NOW)).drift == 0
    await ended(clickhouse)
    books = await clickhouse.query(query("conservation"))
    assert books.result_rows == [("SALE_OFFER", "inapp", 3, 2, 0, 0, 1, 0, 0, 0)]


async def test_reads_count_once_in_the_funnel(clickhouse: AsyncClient) -> None:
    await opened(clickhouse)
    await ended(clickhouse)
    again = deed("read", "n0", ACKED_AT + timedelta(seconds=5))
    await written(clickhouse, deed("read", "n0"), deed("dismiss", "n1"), deed("ack", "n0"))
    await written(clickhouse, again, deed("dismiss", "n1"), deed("ack", "n0"))
    kinds = await clickhouse.query(
        "SELECT toString(kind), count() FROM tocsin.engagement FINAL GROUP BY kind ORDER BY kind"
    )
    assert kinds.result_rows == [("dismiss", 1), ("read", 1)]
    funnel = await clickhouse.query(query("delivery_funnel"))
    assert funnel.result_rows == [("SALE_OFFER", "inapp", 3, 2, 1, 0, 0)]
