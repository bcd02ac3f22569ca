"""What ClickHouse knows, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer
from clickhouse_connect.driver import AsyncClient
from redis.asyncio import Redis

from analytics.writer.eraser import Eraser
from analytics.writer.forgotten import Forgotten
from analytics.writer.rows import Erasure, Request
from analytics.writer.tables import (
    ACCEPTED,
    DEAD_LETTERS,
    DECISIONS,
    DELIVERIES,
    ERASURES,
    REQUESTS,
    milliseconds,
)
from api.app import create_app
from api.services import Services
from tests.integration.test_analytics_schema import AT, insert, outcome
from tests.unit.api.asgi import Client
from tocsin.records import DeadLetter, State
from tocsin.settings import Settings
from tocsin.store import Claims, SendResult
from tocsin.tokens import SCOPES

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]


@pytest.fixture
async def services(
    settings: Settings,
    redis: Redis,
    producer: AIOKafkaProducer,
    clickhouse: AsyncClient,
    clickhouse_url: str,
) -> AsyncIterator[Services]:
    """With figures."""
    secret = type(settings.clickhouse_url)
    there = settings.model_copy(update={"clickhouse_url": secret(clickhouse_url)})
    made = Services.over(there, redis, producer)
    yield made
    await made.figures.close()


@pytest.fixture
async def _books(clickhouse: AsyncClient, services: Services) -> None:
    """n1 went by push and is on its way by sms; n2 was only asked for."""
    times = milliseconds(AT), milliseconds(AT)
    for name in ("n1", "n2"):
        row = Request(name, "ada", "SALE_OFFER", *times, "notification.requests", 0, 1)
        await insert(clickhouse, REQUESTS, row)
    for channel in ("push", "sms"):
        begun = outcome("n1", State.ACCEPTED, channel, user_id="ada")
        await insert(clickhouse, ACCEPTED, begun)
    done = outcome("n1", State.DELIVERED, "push", user_id="ada", provider="apns")
    await insert(clickhouse, DELIVERIES, done)


@pytest.mark.usefixtures("_books")
async def test_totals_are_per_channel_and_state(shop: Client) -> None:
    channels = (await shop("GET", "/v1/stats/totals")).json["channels"]
    assert set(channels) == {"inapp", "push", "sms", "email"}
    assert (channels["push"]["delivered"], channels["push"]["in_flight"]) == (1, 0)
    assert (channels["sms"]["accepted"], channels["sms"]["in_flight"]) == (1, 1)


@pytest.mark.usefixtures("_books")
async def test_a_notification_shows_each_channel(shop: Client, redis: Redis) -> None:
    found = (await shop("GET", "/v1/notifications/n1")).json
    assert (found["user_id"], found["type"], found["complete"]) == ("ada", "SALE_OFFER", True)
    assert found["channels"]["push"]["state"] == "delivered"
    assert found["channels"]["push"]["provider"] == "apns"
    assert found["channels"]["sms"]["state"] == "accepted"
    claims = Claims(redis, "sender:1")
    await claims.take([("n1:sms", 2)])
    late = SendResult("n1:sms", State.RETRY, "20429", "twilio", retry_after=3)
    await claims.settle([(late, 2)])
    sms = (await shop("GET", "/v1/notifications/n1")).json["channels"]["sms"]
    assert (sms["state"], sms["reason"], sms["attempt"]) == ("retrying", "20429", 2)


@pytest.mark.usefixtures("_books")
async def test_a_notification_not_routed_yet_has_no_channels(shop: Client) -> None:
    assert (await shop("GET", "/v1/notifications/n2")).json["channels"] == {}
    unknown = await shop("GET", "/v1/notifications/n3")
    assert (unknown.status, unknown.code) == (404, "not_found")


@pytest.mark.usefixtures("_books")
async def test_the_path_of_a_notification_is_told_look_by_look(
    shop: Client, token: Callable[..., str], clickhouse: AsyncClient
) -> None:
    due = AT + timedelta(hours=9)
    words = {"user_id": "ada", "template_id": "sale", "template_version": 2}
    looks = [
        outcome("n1", State.DEFERRED, "sms", at=AT, due_at=due, reason="quiet_hours",
                trace="opt_out=no;quiet_hours=22:00-07:00%3B Europe/Berlin", **words),
        outcome("n1", State.RETRY, "sms", at=due, due_at=due + timedelta(seconds=3), attempt=1,
                reason="20429", **words),
    ]  # fmt: skip
    await insert(clickhouse, DECISIONS, *looks)
    found = (await shop.with_token(token("ada"))("GET", "/v1/notifications/n1")).json
    sms = found["channels"]["sms"]
    assert (sms["state"], sms["reason"], sms["attempt"]) == ("retrying", "20429", 1)
    assert (sms["template_id"], sms["template_version"]) == ("sale", 2)
    assert [look["state"] for look in sms["trace"]] == ["deferred", "accepted", "retry"]
    assert sms["trace"][0] == {
        "at": f"{AT:%Y-%m-%dT%H:%M:%SZ}",
        "state": "deferred", "attempt": 1, "reason": "quiet_hours",
        "due_at": f"{due:%Y-%m-%dT%H:%M:%SZ}",
        "steps": [
            {"step": "opt_out", "result": "no"},
            {"step": "quiet_hours", "result": "22:00-07:00; Europe/Berlin"},
        ],
    }  # fmt: skip
    push = found["channels"]["push"]
    assert push["state"] == "delivered"
    assert [look["state"] for look in push["trace"]] == ["accepted", "delivered"]
    assert found["dead"] is None


@pytest.mark.usefixtures("_books")
async def test_a_dead_request_says_why_to_its_owner_too(
    shop: Client, token: Callable[..., str], clickhouse: AsyncClient
) -> None:
    place = ("notification.requests", 0, 1)
    why = DeadLetter(*place, "Invalid", "is required", "e30=", AT, "data.currency", "n2")
    beside = DeadLetter(*place, "Invalid", "of another item", "e30=", AT, "requests[1].type")
    older = DeadLetter(*place, "Invalid", "of another log", "e30=", AT - timedelta(days=1))
    await insert(clickhouse, DEAD_LETTERS, why, beside, older)
    found = (await shop.with_token(token("ada"))("GET", "/v1/notifications/n2")).json
    assert found["channels"] == {}
    assert found["dead"] == {
        "reason": "is required", "field": "data.currency", "at": f"{AT:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip
    assert (await shop.with_token(token("bea"))("GET", "/v1/notifications/n2")).status == 404


@pytest.mark.usefixtures("_books")
async def test_a_letter_about_a_whole_record_is_about_all_it_held(
    shop: Client, clickhouse: AsyncClient
) -> None:
    whole = DeadLetter("notification.requests", 0, 1, "Error", "could not be processed", "", AT)
    await insert(clickhouse, DEAD_LETTERS, whole)
    found = (await shop("GET", "/v1/notifications/n2")).json
    assert (found["dead"]["reason"], found["dead"]["field"]) == ("could not be processed", "")
    assert (await shop("GET", "/v1/notifications/n1")).json["dead"] is None


@pytest.mark.usefixtures("_books")
async def test_whoever_was_erased_owns_nothing(shop: Client, clickhouse: AsyncClient) -> None:
    await insert(clickhouse, ERASURES, Erasure("ada", milliseconds(datetime.now(UTC)), False))
    eraser = Eraser(clickhouse, Forgotten())
    async with asyncio.timeout(30):
        while await eraser.look():
            await asyncio.sleep(0.05)
    found = (await shop("GET", "/v1/notifications/n1")).json
    assert found["user_id"] is None
    assert found["channels"]["push"]["state"] == "delivered"


@pytest.mark.usefixtures("_books")
async def test_a_person_sees_what_was_meant_for_it(shop: Client, token: Callable[..., str]) -> None:
    assert (await shop.with_token(token("ada"))("GET", "/v1/notifications/n1")).status == 200
    assert (await shop.with_token(token("bea"))("GET", "/v1/notifications/n1")).status == 404


@pytest.mark.usefixtures("_books")
async def test_beside_the_sandbox_the_totals_are_open(
    services: Services,
) -> None:
    demo = services.settings.model_copy(update={"sandbox_url": "http://127.0.0.1:8444"})
    stranger = Client(create_app(replace(services, settings=demo)))
    assert (await stranger("GET", "/v1/stats/totals")).status == 200
    assert (await stranger("GET", "/v1/live-ticket")).status == 200
    assert (await stranger("GET", "/v1/notifications/n1")).status == 401
    links = (await stranger("GET", "/web/links.json")).json
    assert links["demo"] is True
    assert "writer-of-the-tests" not in links["clickhouse"]


async def test_scopes_for_reading_are_asked_for(shop: Client, token: Callable[..., str]) -> None:
    weak = shop.with_token(token("s", *(SCOPES - {"stats:read"})))
    assert "stats:read" in (await weak("GET", "/v1/stats/totals")).json["detail"]
