"""The named questions over rows planted by hand, against answers counted by hand."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.questions import questions
from analytics.writer.rows import Told
from analytics.writer.tables import ACCEPTED, DELIVERIES, ENGAGEMENT, WAVES, milliseconds
from tests.integration.clickhouse import start
from tests.integration.test_analytics_schema import insert, outcome
from tocsin.records import Engagement, Outcome, State
from tocsin.settings import Settings

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(microsecond=0)
SENT = NOW - timedelta(hours=3)
OLD = NOW - timedelta(days=20)
MINUTE = timedelta(minutes=1)


def mail(name: str, version: int = 1, state: State = State.DELIVERED, **more: Any) -> Outcome:
    fields: dict[str, Any] = {
        "channel": "email", "template_version": version, "accepted_at": SENT, "at": SENT,
        "provider": "smtp", "destination": "mail.example",
    }  # fmt: skip
    return outcome(name, state, **(fields | more))


def text(name: str, state: State = State.DELIVERED, **more: Any) -> Outcome:
    fields: dict[str, Any] = {
        "channel": "sms", "type": "ORDER_UPDATE", "accepted_at": SENT, "at": SENT,
        "provider": "twilio", "destination": "+4477", "template_id": "order",
    }  # fmt: skip
    return outcome(name, state, **(fields | more))


def deed(number: int, kind: Any, name: str, minutes: float = 10, **more: Any) -> Engagement:
    fields: dict[str, Any] = {"channel": "email", "type": "SALE_OFFER"} | more
    return Engagement(f"e{number}", kind, name, "u", SENT + minutes * MINUTE, **fields)


def code(name: str, user: str, minutes: int, ms: int) -> Outcome:
    at = SENT + minutes * MINUTE
    return text(
        name, type="OTP", user_id=user, accepted_at=at, at=at + timedelta(milliseconds=ms),
        template_id="OTP",
    )  # fmt: skip


MAILS = [mail(f"one{n}") for n in range(10)] + [mail(f"two{n}", 2) for n in range(4)]
ENDS = [
    *MAILS, MAILS[0],  # written twice
    mail("past", accepted_at=OLD, at=OLD), text("t1"),
    text("t2", State.FAILED, reason="21211 not a number"),
    code("c1", "ann", 0, 20), code("c2", "ann", 5, 40), code("c3", "bob", 7, 60),
    text("w1", type="BACK_IN_STOCK"), text("w2", type="BACK_IN_STOCK"),
    mail("off", state=State.SUPPRESSED, reason="opted_out", provider="", destination=""),
]  # fmt: skip
DEEDS = [
    deed(1, "click", "one0", 1), deed(2, "click", "one0", 30), deed(3, "click", "one1", 90),
    deed(4, "click", "one2", 0, bot=True, bot_reason="scanner"), deed(4, "open", "one2", 2),
    deed(5, "click", "two0", 4), deed(6, "click", "two1", 4), deed(7, "click", "past", 5),
    deed(8, "convert", "one0", 40, reference="o1", value=20, currency="GBP"),
    deed(9, "convert", "one0", 41, reference="o1", value=20, currency="GBP"),
    deed(10, "convert", "two0", 42, value=5.5, currency="GBP"),
    deed(11, "unsubscribe", "one3"),
    deed(12, "click", "w1", 30, channel="sms", type="BACK_IN_STOCK"),
    deed(13, "click", "w2", 150, channel="sms", type="BACK_IN_STOCK"),
    deed(14, "convert", "w1", 31, channel="sms", type="BACK_IN_STOCK", value=30, currency="EUR"),
]  # fmt: skip


@pytest.fixture
async def books(clickhouse: AsyncClient) -> AsyncClient:
    await insert(clickhouse, ACCEPTED, *(each for each in ENDS if each.notification_id != "off"))
    await insert(clickhouse, DELIVERIES, *ENDS)
    await insert(clickhouse, DELIVERIES, ENDS[0])  # and read again from Kafka
    await insert(clickhouse, ENGAGEMENT, *DEEDS)
    at = milliseconds(SENT)
    await insert(clickhouse, WAVES, *(Told(at, "LAMP", name, 2) for name in ("w1", "w2", "w3")))
    return clickhouse


async def ask(client: AsyncClient, name: str, **given: str) -> list[dict[str, Any]]:
    question = questions()[name]
    found = await client.query(question.sql, question.given(given))
    return [dict(row) for row in found.named_results()]


def only(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


async def test_the_funnel_counts_people(books: AsyncClient) -> None:
    steps = "type", "channel", "accepted", "delivered", "opened", "clicked", "converted"
    assert only(await ask(books, "funnel"), *steps) == [
        ("BACK_IN_STOCK", "sms", 2, 2, 0, 2, 1), ("ORDER_UPDATE", "sms", 2, 1, 0, 0, 0),
        ("OTP", "sms", 3, 3, 0, 0, 0), ("SALE_OFFER", "email", 15, 14, 1, 4, 2),
    ]  # fmt: skip
    (_, *_, sale) = only(await ask(books, "funnel", hours="9000"), *steps)
    assert sale == ("SALE_OFFER", "email", 16, 15, 1, 5, 2)


async def test_versions_are_told_apart_with_their_intervals(books: AsyncClient) -> None:
    rows = await ask(books, "ctr_by_template_version", least="4")
    assert only(rows, "template_version", "delivered", "human_clicked", "raw_clicked") == [
        (1, 10, 2, 3), (2, 4, 2, 2),
    ]  # fmt: skip
    one, two = rows
    # Wilson's interval of 2 in 10 and of 3 in 10, from a table
    assert (one["human_ctr_low"], one["human_ctr"], one["human_ctr_high"]) == (0.0567, 0.2, 0.5098)
    assert (one["raw_ctr_low"], one["raw_ctr"], one["raw_ctr_high"]) == (0.1078, 0.3, 0.6032)
    assert (two["human_ctr_low"], two["human_ctr_high"]) == (0.15, 0.85)


async def test_the_first_click_of_each_delivery_is_timed(books: AsyncClient) -> None:
    rows = await ask(books, "time_to_click")
    counted = "channel", "type", "clicked", "p50_s", "within_a_minute", "within_an_hour"
    assert only(rows, *counted) == [
        ("email", "SALE_OFFER", 4, 240.0, 1, 3), ("sms", "BACK_IN_STOCK", 2, 9000.0, 0, 1),
    ]  # fmt: skip


async def test_machines_are_told_with_their_reason(books: AsyncClient) -> None:
    rows = await ask(books, "bots")
    assert only(rows, "kind", "channel", "who", "events", "notifications", "share") == [
        ("click", "email", "person", 6, 5, 0.8571), ("click", "email", "scanner", 1, 1, 0.1429),
        ("click", "sms", "person", 2, 2, 1.0), ("open", "email", "person", 1, 1, 1.0),
    ]  # fmt: skip


async def test_deliverability_is_by_destination(books: AsyncClient) -> None:
    rows = await ask(books, "deliverability")
    said = "provider", "destination", "sent", "delivered", "failed", "delivered_rate"
    assert only(rows, *said, "commonest_reason") == [
        ("smtp", "mail.example", 14, 14, 0, 1.0, ""),
        ("twilio", "+4477", 7, 6, 1, 0.8571, "21211 not a number"),
    ]


async def test_codes_that_did_not_help_are_asked_for_again(books: AsyncClient) -> None:
    rows = await ask(books, "otp_conversion")
    assert sum(row["asked"] for row in rows) == sum(row["handed_over"] for row in rows) == 3
    assert sum(row["asked_again"] for row in rows) == 1
    assert max(row["p99_ms"] for row in rows) == 60


async def test_a_wave_is_measured_against_the_units_there_were(books: AsyncClient) -> None:
    (wave,) = await ask(books, "wave_efficiency")
    assert (wave["sku"], wave["available"], wave["told"], wave["reached"]) == ("LAMP", 2, 3, 2)
    assert (wave["clicked_in_an_hour"], wave["converted"]) == (1, 1)
    assert (wave["told_per_unit"], wave["converted_rate"]) == (1.5, 0.3333)


async def test_who_had_enough(books: AsyncClient) -> None:
    first, *others = await ask(books, "opt_out_rate")
    assert (first["type"], first["delivered"], first["unsubscribed"]) == ("SALE_OFFER", 14, 1)
    assert first["opt_out_rate"] == 0.07143
    assert {row["unsubscribed"] for row in others} == {0}


async def test_an_order_counts_once(books: AsyncClient) -> None:
    rows = await ask(books, "revenue")
    assert only(rows, "type", "currency", "conversions", "revenue", "average") == [
        ("BACK_IN_STOCK", "EUR", 1, 30.0, 30.0), ("SALE_OFFER", "GBP", 2, 25.5, 12.75),
    ]  # fmt: skip


async def test_costs_are_messages_times_prices(books: AsyncClient) -> None:
    rows = await ask(books, "cost_by_provider", sms="0.5", email="0.25")
    assert only(rows, "provider", "messages", "cost") == [("smtp", 14, 3.5), ("twilio", 6, 3.0)]


async def test_failures_and_hours(books: AsyncClient) -> None:
    rows = await ask(books, "failure_reasons")
    assert only(rows, "state", "reason", "deliveries") == [
        ("failed", "21211 not a number", 1), ("suppressed", "opted_out", 1),
    ]  # fmt: skip
    hours = await ask(books, "busiest_hours")
    assert sum(row["deliveries"] for row in hours) == 22
    kept = await ask(books, "conservation")
    assert sum(row["delivered"] for row in kept) == 21


@pytest.mark.parametrize("name", sorted(questions()))
async def test_empty_books_have_an_answer(clickhouse: AsyncClient, name: str) -> None:
    assert await ask(clickhouse, name) == []


async def test_asked_in_a_terminal(books: AsyncClient, clickhouse_settings: Settings) -> None:
    arguments = "revenue", "hours=24", "--format", "JSON"
    process = start("analytics.ask", clickhouse_settings, *arguments)
    out, _ = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 0
    assert [row["revenue"] for row in json.loads(out)["data"]] == [30, 25.5]
