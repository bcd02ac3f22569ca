"""The console's figures: what the books say, and what is left when an engine is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from clickhouse_connect.driver import AsyncClient
from redis.asyncio import Redis

from analytics.writer.rows import Request, Told
from analytics.writer.tables import (
    ACCEPTED,
    DECISIONS,
    DELIVERIES,
    ENGAGEMENT,
    REQUESTS,
    WAVES,
    milliseconds,
)
from api.app import create_app
from api.services import Services
from tests.integration.conftest import free_port
from tests.integration.test_analytics_schema import insert, outcome
from tests.unit.actors.makers import profile
from tests.unit.api.asgi import Client
from tocsin.records import Engagement, State
from tocsin.settings import Settings
from tocsin.spread import Spread
from tocsin.store import keys
from tocsin.store.provider_states import BreakerState, ProviderState, ProviderStates
from tocsin.tokens import SCOPES

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

NOW = datetime.now(UTC)


@pytest.fixture
async def services(
    settings: Settings,
    redis: Redis,
    producer: AIOKafkaProducer,
    clickhouse: AsyncClient,
    clickhouse_url: str,
) -> AsyncIterator[Services]:
    """With every engine."""
    secret = type(settings.clickhouse_url)
    there = settings.model_copy(update={"clickhouse_url": secret(clickhouse_url)})
    made = Services.over(there, redis, producer)
    yield made
    await made.desk.close()
    await made.figures.close()


async def ask(client: Client, path: str) -> Any:
    """The answer; asked again while a busy machine makes an engine seem away."""
    async with asyncio.timeout(60):
        while True:
            answer = await client("GET", path)
            assert answer.status in (200, 503), answer.body
            if answer.status == 200 and answer.json.get("notifications", ()) is not None:
                return answer.json
            await asyncio.sleep(0.1)


async def overview(client: Client) -> Any:
    """Once every engine has told its part, the same."""
    async with asyncio.timeout(60):
        while True:
            seen = await ask(client, "/v1/ops/overview")
            push = next(each for each in seen["channels"] if each["channel"] == "push")
            parts = seen["lag"], seen["dead"], seen["providers"], push["accepted"], push["retrying"]
            if all(seen["engines"].values()) and None not in parts:
                return seen
            await asyncio.sleep(0.1)


@pytest.fixture
async def _books(clickhouse: AsyncClient) -> None:
    """Pushes that took 100 ms and one that failed; a text that waits for its hour, and one that
    waited and was taken back."""
    for name in ("n1", "n2", "n3"):
        begun: dict[str, Any] = {"user_id": "ada", "accepted_at": NOW - timedelta(seconds=20)}
        await insert(clickhouse, ACCEPTED, outcome(name, State.ACCEPTED, at=NOW, **begun))
    times: dict[str, Any] = {"accepted_at": NOW - timedelta(seconds=10, milliseconds=100),
             "at": NOW - timedelta(seconds=10)}  # fmt: skip
    await insert(
        clickhouse, DELIVERIES,
        outcome("n1", State.DELIVERED, provider="apns", user_id="ada", **times),
        outcome("n2", State.DELIVERED, provider="fcm", user_id="ada", **times),
        outcome("n3", State.FAILED, provider="apns", reason="BadDeviceToken", **times),
        outcome("n1", State.SUPPRESSED, "sms", reason="digest:one", **times),
        outcome("n2", State.SUPPRESSED, "sms", reason="digest:two", **times),
        outcome("n4", State.CANCELLED, "sms", **times),
    )  # fmt: skip
    later: dict[str, Any] = {"at": NOW, "due_at": NOW + timedelta(hours=3), "user_id": "ada"}
    await insert(
        clickhouse, DECISIONS,
        outcome("n3", State.DEFERRED, "sms", reason="quiet_hours", **later),
        outcome("n4", State.DEFERRED, "sms", reason="quiet_hours", **later),
        outcome("n5", State.RETRY, "push", reason="503", **later),
    )  # fmt: skip


@pytest.mark.usefixtures("_books")
async def test_the_overview_shows_every_engine(shop: Client, redis: Redis) -> None:
    spread = Spread()
    for _ in range(100):
        spread.add(40)
    common: dict[str, Any] = {"channel": "push", "since": NOW, "at": datetime.now(UTC)}
    await ProviderStates(redis).put(
        [
            ProviderState("apns", "sender-push-0", state=BreakerState.OPEN, reason="no connection",
                          calls=100, failures=60, spread=spread.pairs(), **common),
            ProviderState("apns", "sender-push-1", state=BreakerState.CLOSED, calls=100,
                          spread=spread.pairs(), **common),
        ]
    )  # fmt: skip
    seen = await overview(shop)
    assert seen["demo"] is False
    channels = {each["channel"]: each for each in seen["channels"]}
    assert set(channels) == {"inapp", "push", "sms", "email"}
    push, sms = channels["push"], channels["sms"]
    assert (push["accepted"], push["delivered"], push["failed"], push["in_flight"]) == (3, 2, 1, 0)
    assert (push["queued"], push["retrying"], push["deferred"]) == (0, 1, 0)
    assert (sms["deferred"], sms["retrying"]) == (1, 0)
    assert (push["p50_ms"], push["p99_ms"]) == (100, 100)
    assert sms["p50_ms"] is None
    assert channels["email"]["delivered_per_s"] == 0
    assert {"group": "tocsin-streams", "topic": "channel.push", "records": 0} in seen["lag"]
    (apns,) = seen["providers"]
    assert (apns["state"], apns["reason"], apns["calls"], apns["failures"]) == (
        "open", "no connection", 200, 60,
    )  # fmt: skip
    assert 33 <= apns["p50_ms"] <= 48
    assert seen["sockets"] == {"connected": 0, "exact": True}
    assert (seen["schedule"], seen["dead"]) == ({"waiting": 0}, {"open": 0})


async def test_what_is_away_is_null_and_the_rest_is_there(
    settings: Settings, redis: Redis, producer: AIOKafkaProducer, token: Callable[..., str]
) -> None:
    nowhere = settings.model_copy(
        update={
            "kafka_url": f"kafka://127.0.0.1:{free_port()}",
            "clickhouse_url": type(settings.clickhouse_url)(
                f"clickhouse://127.0.0.1:{free_port()}/tocsin"
            ),
        }
    )
    services = Services.over(nowhere, redis, producer)
    shop = Client(create_app(services), token("shop", *SCOPES))
    answer = await shop("GET", "/v1/ops/overview")
    assert answer.status == 200
    seen = answer.json
    assert seen["engines"] == {"kafka": False, "redis": True, "clickhouse": False}
    assert (seen["lag"], seen["dead"]) == (None, None)
    assert len(seen["channels"]) == 4
    assert seen["channels"][0]["accepted"] is None
    assert seen["schedule"] == {"waiting": 0}
    for path in ("series", "latency", "failures", "waves", "dead-letters"):
        assert (await shop("GET", f"/v1/ops/{path}")).status == 503
    assert (await shop("GET", "/v1/ops/users/ada/notifications")).status == 503
    found = (await shop("GET", "/v1/ops/search?q=ada")).json
    assert found == {"users": [], "notifications": None}
    await services.desk.close()


@pytest.mark.usefixtures("_books")
async def test_ends_are_counted_by_the_step(shop: Client) -> None:
    for step in ("minute", "hour"):
        found = await ask(shop, f"/v1/ops/series?hours=2&step={step}")
        assert found["step"] == step
        ends = {(p["channel"], p["state"]): p["deliveries"] for p in found["points"]}
        assert ends == {
            ("push", "delivered"): 2, ("push", "failed"): 1,
            ("sms", "suppressed"): 2, ("sms", "cancelled"): 1,
        }  # fmt: skip
    too_fine = await shop("GET", "/v1/ops/series?hours=100&step=minute")
    assert (too_fine.status, too_fine.code) == (422, "invalid")


@pytest.mark.usefixtures("_books")
async def test_latency_is_of_what_was_delivered(shop: Client) -> None:
    (point,) = (await ask(shop, "/v1/ops/latency?minutes=30"))["points"]
    assert (point["channel"], point["deliveries"], point["p95_ms"]) == ("push", 2, 100)


@pytest.mark.usefixtures("_books")
async def test_failures_come_first_and_digests_are_one_reason(shop: Client) -> None:
    rows = (await ask(shop, "/v1/ops/failures"))["rows"]
    assert [(r["state"], r["provider"], r["reason"], r["deliveries"]) for r in rows] == [
        ("failed", "apns", "BadDeviceToken", 1), ("suppressed", "", "digest", 2),
    ]  # fmt: skip


async def test_a_wave_is_everyone_one_restock_told(
    shop: Client, clickhouse: AsyncClient, redis: Redis
) -> None:
    first, second = (milliseconds(NOW - timedelta(minutes=m)) for m in (10, 5))
    told = [Told(first, "lamp", f"w{i}", 6) for i in range(3)]
    again = Told(second, "lamp", "w0", 6)  # an agent died in between, and asked again
    await insert(clickhouse, WAVES, *told, again, Told(second, "desk", "w9", 2))
    await insert(
        clickhouse, DELIVERIES,
        outcome("w0", State.DELIVERED), outcome("w0", State.FAILED, "email"),
        outcome("w1", State.FAILED),
    )  # fmt: skip
    click = Engagement("e1", "click", "w0", "u", NOW)
    bot = Engagement("e2", "click", "w1", "u", NOW, bot=True)
    await insert(clickhouse, ENGAGEMENT, click, bot)
    await redis.zadd(keys.waiting("lamp"), {"s1": 1, "s2": 2})
    desk, lamp = (await ask(shop, "/v1/ops/waves"))["waves"]
    assert (desk["sku"], desk["told"], desk["delivered"], desk["waiting"]) == ("desk", 1, 0, 0)
    del lamp["at"]
    assert lamp == {
        "sku": "lamp", "available": 6, "told": 3, "delivered": 1, "failed": 1, "clicked": 1,
        "waiting": 2,
    }  # fmt: skip
    (newest,) = (await ask(shop, "/v1/ops/waves?limit=1"))["waves"]
    assert newest["sku"] == "desk"


async def test_people_and_notifications_are_found_by_how_their_ids_begin(
    shop: Client, services: Services, clickhouse: AsyncClient
) -> None:
    for name in ("ada", "adam", "bea"):
        await services.profiles.put(profile(name))
    at = milliseconds(NOW)
    for name in ("ad-1", "ad-2", "x-1"):
        await insert(clickhouse, REQUESTS, Request(name, "ada", "SALE_OFFER", at, at, "t", 0, 1))
    found = await ask(shop, "/v1/ops/search?q=ad")
    assert found["users"] == [{"user_id": "ada"}, {"user_id": "adam"}]
    assert [n["notification_id"] for n in found["notifications"]] == ["ad-2", "ad-1"]
    (one,) = (await ask(shop, "/v1/ops/search?q=x-1:push"))["notifications"]
    assert (one["notification_id"], one["user_id"], one["type"]) == ("x-1", "ada", "SALE_OFFER")
    assert (await shop("GET", "/v1/ops/search?q=")).status == 422
    nobody = await ask(shop, "/v1/ops/search?q=%25")
    assert nobody == {"users": [], "notifications": []}


@pytest.mark.usefixtures("_books")
async def test_what_a_person_was_told_is_paged_newest_first(
    shop: Client, clickhouse: AsyncClient
) -> None:
    for number in (1, 2, 3):
        at = milliseconds(NOW - timedelta(minutes=10 - number))
        for _ in range(2):  # written twice, counted once
            row = Request(f"n{number}", "ada", "SALE_OFFER", at, at, "t", 0, number)
            await insert(clickhouse, REQUESTS, row)
    first = await ask(shop, "/v1/ops/users/ada/notifications?limit=2")
    assert [n["notification_id"] for n in first["notifications"]] == ["n3", "n2"]
    three, two = (n["channels"] for n in first["notifications"])
    assert (three["push"]["state"], three["push"]["reason"]) == ("failed", "BadDeviceToken")
    assert (three["sms"]["state"], three["sms"]["reason"]) == ("deferred", "quiet_hours")
    assert (two["push"]["state"], two["push"]["provider"]) == ("delivered", "fcm")
    path = f"/v1/ops/users/ada/notifications?limit=2&cursor={first['cursor']}"
    last = await ask(shop, path)
    assert [n["notification_id"] for n in last["notifications"]] == ["n1"]
    assert last["cursor"] is None
    assert (await ask(shop, "/v1/ops/users/bea/notifications"))["notifications"] == []
    assert (await shop("GET", "/v1/ops/users/ada/notifications?cursor=x")).code == "invalid"


async def test_the_console_is_open_beside_the_sandbox_only(
    services: Services, token: Callable[..., str]
) -> None:
    stranger = Client(create_app(services))
    assert (await stranger("GET", "/v1/ops/overview")).status == 401
    weak = stranger.with_token(token("s", *(SCOPES - {"stats:read"})))
    assert (await weak("GET", "/v1/ops/series")).status == 403
    demo = services.settings.model_copy(update={"sandbox_url": "http://127.0.0.1:8444"})
    stranger = Client(create_app(replace(services, settings=demo)))
    assert (await stranger("GET", "/v1/ops/failures")).status == 200
    replay = await stranger("POST", "/v1/ops/dead-letters:replay", {"places": ["a:0:0"]})
    assert replay.status == 401
