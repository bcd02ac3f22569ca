"""Taking back over HTTP: whatever was accepted can be taken back, and the answer is true."""

import asyncio
from collections.abc import AsyncIterator, Callable
from unittest.mock import AsyncMock

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from clickhouse_connect.driver import AsyncClient
from redis.asyncio import Redis

from analytics.writer.rows import Request
from analytics.writer.tables import ACCEPTED, DELIVERIES, REQUESTS, milliseconds
from api.services import Services
from tests.integration.api.conftest import Log
from tests.integration.test_analytics_schema import AT, insert, outcome
from tests.unit.api.asgi import Client
from tocsin.errors import EngineUnavailable
from tocsin.ids import marked, new_id
from tocsin.records import Cancellation, State, decode
from tocsin.settings import Settings
from tocsin.store import Cancellations, Claims, keys
from tocsin.store.inbox import Inbox
from tocsin.topics import CANCELLATIONS

pytestmark = pytest.mark.integration

HELLO = {"user_id": "ada", "type": "ORDER_UPDATE", "data": {"order": "7"}}
EVERYWHERE = dict.fromkeys(("inapp", "push", "sms", "email"), "cancelled")


@pytest.fixture
async def services(
    settings: Settings,
    redis: Redis,
    producer: AIOKafkaProducer,
    clickhouse: AsyncClient,
    clickhouse_url: str,
) -> AsyncIterator[Services]:
    """With the books."""
    secret = type(settings.clickhouse_url)
    there = settings.model_copy(update={"clickhouse_url": secret(clickhouse_url)})
    made = Services.over(there, redis, producer)
    yield made
    await made.figures.close()


@pytest.fixture(autouse=True)
async def _ada(shop: Client) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})


@pytest.mark.parametrize("own", [{}, {"notification_id": "order-7"}])
async def test_what_was_accepted_a_moment_ago_can_be_taken_back(
    shop: Client, services: Services, log: Log, own: dict[str, str]
) -> None:
    await log.since(CANCELLATIONS)
    name = (await shop("POST", "/v1/notifications", HELLO | own)).json["notification_id"]
    for _ in range(2):
        answer = await shop("DELETE", f"/v1/notifications/{name}")
        assert (answer.status, answer.json) == (200, {
            "notification_id": name, "state": "cancelled", "complete": True, "channels": EVERYWHERE,
        })  # fmt: skip
    assert await Cancellations(services.redis).cancelled([name]) == [True]
    (key, value), *_ = await log.read(2)
    assert key == name.encode()
    line = decode(Cancellation, value or b"")
    assert (line.notification_id, line.by) == (name, "shop")


async def test_of_a_batch_each_can_be_taken_back(shop: Client) -> None:
    batch = [HELLO, HELLO | {"notification_id": "mine"}]
    ids = (await shop("POST", "/v1/notifications:batch", batch)).json["notification_ids"]
    for name in ids:
        assert (await shop("DELETE", f"/v1/notifications/{name}")).status == 200


async def test_ids_derived_from_an_idempotency_key_can_be_taken_back(shop: Client) -> None:
    sent = await shop("POST", "/v1/notifications", HELLO, idempotency_key="k")
    name = sent.json["notification_id"]
    assert (await shop("DELETE", f"/v1/notifications/{name}")).status == 200


@pytest.mark.parametrize("name", ["nothing", "01919b6e-0000-7000-8000-00000000zzzz", "x" * 129])
async def test_an_id_nobody_has_heard_of_is_404_and_leaves_no_trace(
    shop: Client, log: Log, services: Services, name: str
) -> None:
    await log.since(CANCELLATIONS)
    answer = await shop("DELETE", f"/v1/notifications/{name}")
    assert (answer.status, answer.code) == (404, "not_found")
    assert await log.nothing()
    assert not await services.redis.exists(keys.cancelled(name))


async def test_what_the_router_has_seen_is_known(shop: Client, services: Services) -> None:
    await services.redis.set(keys.seen("from-kafka"), "notification.requests:0:1:0")
    assert (await shop("DELETE", "/v1/notifications/from-kafka")).status == 200


async def test_what_is_sent_is_too_late_and_the_rest_is_not(
    shop: Client, clickhouse: AsyncClient, services: Services
) -> None:
    times = milliseconds(AT), milliseconds(AT)
    await insert(clickhouse, REQUESTS, Request("n1", "ada", "T", *times, "t", 0, 1))
    for channel in ("push", "sms", "inapp"):
        await insert(clickhouse, ACCEPTED, outcome("n1", State.ACCEPTED, channel, user_id="ada"))
    done = outcome("n1", State.DELIVERED, "push", user_id="ada", provider="apns")
    await insert(clickhouse, DELIVERIES, done)
    await Inbox(services.redis).append([("ada", "n1", b"{}")])
    answer = await shop("DELETE", "/v1/notifications/n1")
    assert (answer.status, answer.json["state"]) == (200, "partly")
    assert answer.json["channels"] == {
        "push": "too_late", "sms": "cancelled", "inapp": "too_late",
    }  # fmt: skip
    await Claims(services.redis, "sender:1").take([("n1:sms", 1)])
    await insert(clickhouse, DELIVERIES, outcome("n1", State.CANCELLED, "sms", user_id="ada"))
    again = await shop("DELETE", "/v1/notifications/n1")
    assert (again.status, again.json) == (200, answer.json)


async def test_when_nothing_was_left_it_is_409(shop: Client, clickhouse: AsyncClient) -> None:
    await insert(clickhouse, ACCEPTED, outcome("n1", State.ACCEPTED, "push", user_id="ada"))
    await insert(clickhouse, DELIVERIES, outcome("n1", State.DELIVERED, "push", user_id="ada"))
    for _ in range(2):
        answer = await shop("DELETE", "/v1/notifications/n1")
        assert (answer.status, answer.code) == (409, "too_late")


async def test_without_clickhouse_it_works_for_what_is_known_otherwise(
    shop: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = AsyncMock(side_effect=EngineUnavailable("ClickHouse", "here", "wait"))
    monkeypatch.setattr("api.figures.connect", away)
    answer = await shop("DELETE", f"/v1/notifications/{marked(new_id())}")
    assert (answer.status, answer.json["complete"]) == (200, False)
    unsure = await shop("DELETE", "/v1/notifications/n1")
    assert (unsure.status, unsure.code) == (503, "unavailable")


async def test_while_kafka_is_away_nothing_is_called_cancelled(
    shop: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = marked(new_id())
    monkeypatch.setattr(services.producer, "send", AsyncMock(side_effect=KafkaTimeoutError))
    answer = await shop("DELETE", f"/v1/notifications/{name}")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert await services.cancellations.cancelled([name]) == [False]


async def test_many_at_once_agree(shop: Client) -> None:
    name = marked(new_id())
    answers = await asyncio.gather(
        *(shop("DELETE", f"/v1/notifications/{name}") for _ in range(10))
    )
    assert {a.status for a in answers} == {200}


async def test_it_is_for_services_that_may_write(shop: Client, token: Callable[..., str]) -> None:
    for caller in (token("ada"), token("shop", "notifications:read")):
        answer = await shop.with_token(caller)("DELETE", "/v1/notifications/n1")
        assert (answer.status, answer.code) == (403, "forbidden")
