"""Sales count for the message that brought them, each once, whoever tells of them how often."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient
from redis.asyncio import Redis

from analytics.writer.rows import Record, fill
from analytics.writer.tables import ACCEPTED, DELIVERIES
from api.app import create_app
from api.services import Services
from streams.convert import Convert
from tests.integration.api.conftest import Log
from tests.integration.conftest import free_port
from tests.integration.test_analytics_schema import insert, outcome
from tests.unit.api.asgi import Client
from tests.unit.tocsin.link_makers import sent
from tests.unit.tocsin.link_makers import token as make
from tocsin.links import Purpose
from tocsin.records import Engagement, NotificationRequest, Profile, State, decode
from tocsin.settings import Settings
from tocsin.store import keys
from tocsin.store.clicks import Clicks, Message, Sale
from tocsin.topics import ENGAGEMENT

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

NOW = datetime.now(UTC)
LAST = Message("n1", "email", "SALE_OFFER")


@pytest.fixture
async def clicks(services: Services) -> Clicks:
    """ada has followed the link of n1 a minute ago."""
    made = Clicks(services.redis)
    await made.remember("ada", NOW - timedelta(minutes=1), LAST)
    return made


async def events(log: Log, at_least: int) -> list[Engagement]:
    return [decode(Engagement, value or b"") for _, value in await log.read(at_least)]


async def told(shop: Client, **body: Any) -> Any:
    answer = await shop("POST", "/v1/conversions", body)
    assert answer.status == 202, answer.body
    return answer.json


async def test_a_sale_is_owed_to_the_last_click(shop: Client, clicks: Clicks, log: Log) -> None:
    await log.since(ENGAGEMENT)
    found = await told(shop, user_id="ada", reference="536365", value=139.12, currency="GBP")
    (event,) = await events(log, 1)
    assert found == {"notification_id": "n1", "event_id": event.event_id}
    assert (event.kind, event.user_id, event.notification_id) == ("convert", "ada", "n1")
    assert (event.channel, event.type) == ("email", "SALE_OFFER")
    assert (event.reference, event.value, event.currency) == ("536365", 139.12, "GBP")


async def test_told_again_it_is_the_same_sale_though_another_link_was_followed_since(
    shop: Client, clicks: Clicks, services: Services, log: Log
) -> None:
    await log.since(ENGAGEMENT)
    first = await told(shop, user_id="ada", reference="536365")
    await clicks.remember("ada", datetime.now(UTC), Message("n2", "sms", "REVIEW"))
    assert await told(shop, user_id="ada", reference="536365") == first
    assert await told(shop, user_id="ada", notification_id="n9", reference="536365") == first
    order = NotificationRequest("n3", "ada", "ORDER_CONFIRMATION", {"order": "536365"})
    await Convert(services.producer, clicks)([(order, datetime.now(UTC))])
    found = await events(log, 4)
    assert {(e.event_id, e.notification_id) for e in found} == {(first["event_id"], "n1")}
    assert (await told(shop, user_id="ada", reference="536366"))["notification_id"] == "n2"


@pytest.mark.parametrize(
    ("user", "at"),
    [
        ("ben", NOW), ("ada", NOW - timedelta(minutes=2)),
        ("ada", NOW + timedelta(minutes=5) - timedelta(days=7, minutes=10)),
    ],
)  # fmt: skip
async def test_without_a_click_before_it_a_sale_counts_for_nothing(
    shop: Client, clicks: Clicks, log: Log, user: str, at: datetime
) -> None:
    await log.since(ENGAGEMENT)
    body = {"user_id": user, "at": at.isoformat(), "reference": "1"}
    assert await told(shop, **body) == {"notification_id": None, "event_id": None}
    assert await log.nothing()


@pytest.mark.parametrize(("days", "owed"), [(7, LAST), (7.001, None)])
async def test_a_click_counts_for_seven_days(
    clicks: Clicks, days: float, owed: Message | None
) -> None:
    at = datetime.fromtimestamp(1_800_000_000, UTC)
    await clicks.remember("ada", at, LAST)
    assert await clicks.owed([Sale("ada", at + timedelta(days=days))]) == [owed]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#"), ({"user_id": "ada", "value": -1}, "#/value"),
        ({"user_id": "ada", "currency": "pounds"}, "#/currency"),
        ({"user_id": "ada", "at": "2199-01-01T00:00:00Z"}, "#/at"),
        ({"user_id": "ada", "order": "7"}, "#/order"), ({"user_id": ""}, "#/user_id"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(shop: Client, body: dict[str, Any], pointer: str) -> None:
    answer = await shop("POST", "/v1/conversions", body)
    assert (answer.status, answer.code) == (422, "invalid")
    assert answer.json["errors"][0]["pointer"] == pointer


async def test_it_takes_a_service_with_the_scope(shop: Client, token: Any) -> None:
    for given, status in ((None, 401), (token("ada"), 403), (token("till", "inbox"), 403)):
        answer = await shop.with_token(given)("POST", "/v1/conversions", {"user_id": "ada"})
        assert answer.status == status
    ours = shop.with_token(token("till", "events:write"))
    assert (await ours("POST", "/v1/conversions", {"user_id": "ada"})).status == 202


async def test_a_batch_has_a_result_each_and_a_bad_one_spoils_only_itself(
    shop: Client, clicks: Clicks, log: Log
) -> None:
    await log.since(ENGAGEMENT)
    sales = [
        {"user_id": "ada", "reference": "1"}, {"user_id": "ada", "value": "much"},
        {"user_id": "ben"}, {"user_id": "ada", "reference": "1"},
        {"user_id": "ada", "at": "2199-01-01T00:00:00Z"},
        {"user_id": "ben", "notification_id": "n7", "reference": "2"},
    ]  # fmt: skip
    answer = await shop("POST", "/v1/conversions:batch", {"conversions": sales})
    assert answer.status == 202
    results = answer.json["results"]
    assert [r["status"] for r in results] == [202, 422, 202, 202, 422, 202]
    assert [r.get("id") for r in results] == ["n1", None, None, "n1", None, "n7"]
    assert results[1]["errors"][0]["pointer"] == "#/conversions/1/value"
    assert results[4]["errors"][0]["pointer"] == "#/conversions/4/at"
    assert len({e.event_id for e in await events(log, 3)}) == 2


@pytest.fixture
async def with_books(
    settings: Settings,
    redis: Redis,
    services: Services,
    clickhouse: AsyncClient,
    clickhouse_url: str,
    token: Any,
) -> AsyncIterator[Client]:
    """The API with ClickHouse, where n7 was accepted for carl and delivered by email."""
    secret = type(settings.clickhouse_url)
    there = settings.model_copy(update={"clickhouse_url": secret(clickhouse_url)})
    made = Services.over(there, redis, services.producer)
    for state, table in ((State.ACCEPTED, ACCEPTED), (State.DELIVERED, DELIVERIES)):
        await insert(clickhouse, table, outcome("n7", state, "email", user_id="carl"))
    yield Client(create_app(made), token("till", "events:write"))
    await made.figures.close()


async def test_whose_a_notification_is_the_books_know(with_books: Client, log: Log) -> None:
    await log.since(ENGAGEMENT)
    body = {"notification_id": "n7", "reference": "7", "value": 5}
    assert (await told(with_books, **body))["notification_id"] == "n7"
    (event,) = await events(log, 1)
    assert (event.user_id, event.type, event.channel) == ("carl", "SALE_OFFER", "")
    unknown = await with_books("POST", "/v1/conversions", {"notification_id": "n8"})
    assert (unknown.status, unknown.json["errors"][0]["pointer"]) == (422, "#/notification_id")


async def test_with_the_books_away_it_is_said(
    settings: Settings, redis: Redis, services: Services, token: Any
) -> None:
    nobody = type(settings.clickhouse_url)(f"clickhouse://a:b@127.0.0.1:{free_port()}/tocsin")
    there = settings.model_copy(update={"clickhouse_url": nobody})
    made = Services.over(there, redis, services.producer)
    till = Client(create_app(made), token("till", "events:write"))
    answer = await till("POST", "/v1/conversions", {"notification_id": "n7"})
    assert (answer.status, answer.code) == (503, "unavailable")
    assert (await till("POST", "/v1/conversions", {"user_id": "ada"})).status == 202
    await made.figures.close()


async def test_clicks_and_sales_are_in_the_click_through_of_their_message(
    with_books: Client, services: Services, clickhouse: AsyncClient, log: Log
) -> None:
    """Through the records and the writer's own half of the schema; twice, and counted once."""
    await services.profiles.change("carl", lambda _: Profile("carl"))
    what = sent("n7", "carl", at=datetime.now(UTC) - timedelta(minutes=1))
    path = f"/c/{make(services.settings, Purpose.CLICK, '/shop', what)}"
    await log.since(ENGAGEMENT)
    for agent in ("Mozilla/5.0 (X11; rv:133.0) Firefox/133.0", "curl/8"):
        assert (await with_books("GET", path, user_agent=agent)).status == 302
    async with asyncio.timeout(60):
        while not await services.redis.exists(keys.clicked("carl")):
            await asyncio.sleep(0.01)
    for _ in range(2):
        await told(with_books, user_id="carl", reference="7", value=5)
    records = [Record(0, n, 0, value or b"") for n, (_, value) in enumerate(await log.read(4))]
    filled = fill(ENGAGEMENT.name, records)
    assert filled.skipped == 0
    for table, rows in filled.rows.items():
        await insert(clickhouse, table, *rows)
    found = await clickhouse.query(
        "SELECT delivered, clicked, bot_clicked FROM tocsin.click_through"
    )
    assert found.result_rows == [(1, 1, 1)]
    funnel = await clickhouse.query("SELECT clicked, converted FROM tocsin.delivery_funnel")
    assert funnel.result_rows == [(1, 1)]
    kept = await clickhouse.query(
        "SELECT kind, bot_reason FROM tocsin.engagement FINAL ORDER BY ALL"
    )
    assert kept.result_rows == [("click", ""), ("click", "library"), ("convert", "")]
