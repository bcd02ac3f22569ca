"""Broadcasts and topics over HTTP: a 202 is a promise, and so is an answer to a cancellation."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock

import pytest
from aiokafka.errors import KafkaTimeoutError
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from api.services import Services
from tests.integration.api.conftest import Log
from tests.unit.api.asgi import Answer, Client
from tocsin.records import Broadcast, Cancellation, Profile, decode
from tocsin.store import keys
from tocsin.topics import BROADCASTS, CANCELLATIONS, PROFILES

pytestmark = pytest.mark.integration


def _in(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


SALE = {"audience": {"segment": []}, "type": "SALE_OFFER", "data": {"body": "20 %"}}


async def test_what_is_accepted_is_in_kafka_and_known(shop: Client, log: Log) -> None:
    await log.since(BROADCASTS)
    segment = [{"attribute": "age", "op": "gte", "value": 18}]
    body = SALE | {"audience": {"segment": segment}, "send_at": _in(30)}
    answer = await shop("POST", "/v1/broadcasts", body)
    assert answer.status == 202
    ((key, value),) = await log.read(1)
    broadcast_id = answer.json["broadcast_id"]
    assert key == broadcast_id.encode()
    found = decode(Broadcast, value or b"")
    assert found.broadcast_id == broadcast_id
    assert found.audience.segment is not None
    assert found.audience.segment[0].value == 18.0
    progress = await shop("GET", f"/v1/broadcasts/{broadcast_id}")
    assert (progress.status, progress.json) == (
        200, {"broadcast_id": broadcast_id, "state": "waiting", "looked_at": 0, "told": 0},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"type": "OTP"}, "#/type"),
        ({"type": "lower"}, "#/type"),
        ({"audience": {}}, "#/audience"),
        ({"audience": {"topic": "a", "admins": True}}, "#/audience"),
        ({"audience": {"segment": [{"attribute": "a"}]}}, "#/audience/segment/0"),
        ({"audience": {"segment": [{"attribute": "A", "value": 1}]}},
         "#/audience/segment/0/attribute"),
        ({"audience": {"segment": [{"attribute": "a", "op": "in", "value": 1}]}},
         "#/audience/segment/0"),
        ({"audience": {"everybody": True}}, "#/audience/everybody"),
        ({"priority": "urgent"}, "#/priority"),
        ({"channels": ["fax"]}, "#/channels/0"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "#/expires_at"),
        ({"expires_at": _in(29), "send_at": _in(30)},
         "#/expires_at"),
        ({"send_at": "9999-01-01T00:00:00Z"}, "#"),
        ({"user_id": "ada"}, "#/user_id"),
        ({"data": {"body": "x" * 998_600}}, "#/data"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(
    shop: Client, log: Log, change: dict[str, object], pointer: str
) -> None:
    await log.since(BROADCASTS)
    answer = await shop("POST", "/v1/broadcasts", SALE | change)
    assert (answer.status, answer.code) == (422, "invalid")
    assert [e["pointer"] for e in answer.json["errors"]] == [pointer]
    assert await log.nothing()


async def test_more_than_a_megabyte_is_refused(shop: Client) -> None:
    answer = await shop("POST", "/v1/broadcasts", SALE | {"data": {"body": "x" * 1_000_000}})
    assert (answer.status, answer.code) == (413, "too_large")


async def _send(shop: Client, body: object, key: str) -> Answer:
    return await shop("POST", "/v1/broadcasts", body, idempotency_key=key)


async def test_asking_twice_is_asking_once(shop: Client, log: Log) -> None:
    await log.since(BROADCASTS)
    answers = await asyncio.gather(*(_send(shop, SALE, "k") for _ in range(5)))
    ids = {a.json["broadcast_id"] for a in answers}
    assert ({a.status for a in answers}, len(ids)) == ({202}, 1)
    # those at once may each have written it; all are one broadcast to the fan-out
    assert {key for key, _ in await log.read(1)} == {ids.pop().encode()}
    await log.since(BROADCASTS)
    assert (await _send(shop, SALE, "k")).status == 202
    assert await log.nothing()
    other = await _send(shop, SALE | {"type": "NEWSLETTER"}, "k")
    assert (other.status, other.code) == (422, "idempotency_mismatch")


async def test_without_kafka_nothing_is_promised(shop: Client, services: Services) -> None:
    services.publish.one = AsyncMock(side_effect=KafkaTimeoutError)  # type: ignore[method-assign]
    answer = await _send(shop, SALE, "k2")
    assert (answer.status, answer.code) == (503, "unavailable")


async def test_what_is_in_kafka_is_accepted_though_the_view_is_away(
    shop: Client, services: Services, log: Log
) -> None:
    await log.since(BROADCASTS)
    store: Any = services.broadcasts._store
    store.note = AsyncMock(side_effect=RedisConnectionError)
    assert (await shop("POST", "/v1/broadcasts", SALE)).status == 202
    assert len(await log.read(1)) == 1


async def test_a_cancellation_is_in_the_log_before_the_answer(
    shop: Client, redis: Redis, log: Log
) -> None:
    broadcast_id = (await shop("POST", "/v1/broadcasts", SALE)).json["broadcast_id"]
    await log.since(CANCELLATIONS)
    for _ in range(2):
        answer = await shop("DELETE", f"/v1/broadcasts/{broadcast_id}")
        assert (answer.status, answer.json["state"]) == (200, "cancelled")
        ((key, value),) = await log.read(1)
        assert key == broadcast_id.encode()
        found = decode(Cancellation, value or b"")
        assert (found.notification_id, found.by) == (broadcast_id, "shop")
    assert await redis.exists(keys.cancelled(broadcast_id))
    assert (await shop("GET", f"/v1/broadcasts/{broadcast_id}")).json["state"] == "cancelled"


async def test_a_cancellation_that_is_not_in_the_log_is_none(
    shop: Client, services: Services, redis: Redis
) -> None:
    broadcast_id = (await shop("POST", "/v1/broadcasts", SALE)).json["broadcast_id"]
    services.publish.one = AsyncMock(side_effect=KafkaTimeoutError)  # type: ignore[method-assign]
    assert (await shop("DELETE", f"/v1/broadcasts/{broadcast_id}")).status == 503
    assert not await redis.exists(keys.cancelled(broadcast_id))


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_broadcast_nobody_knows_is_404(shop: Client, log: Log, method: str) -> None:
    await log.since(CANCELLATIONS)
    answer = await shop(method, "/v1/broadcasts/none")
    assert (answer.status, answer.code) == (404, "not_found")
    assert await log.nothing()


async def test_scopes(shop: Client, token: Callable[..., str]) -> None:
    broadcast_id = (await shop("POST", "/v1/broadcasts", SALE)).json["broadcast_id"]
    place = f"/v1/broadcasts/{broadcast_id}"
    reader = shop.with_token(token("s", "broadcasts:read"))
    assert (await reader("GET", place)).status == 200
    assert (await reader("POST", "/v1/broadcasts", SALE)).status == 403
    assert (await reader("DELETE", place)).status == 403
    other = shop.with_token(token("s", "notifications:write"))
    assert (await other("POST", "/v1/broadcasts", SALE)).status == 403
    assert (await shop.with_token(token("ada"))("GET", place)).status == 403


async def _followers(redis: Redis, topic: str) -> list[bytes]:
    return [user async for user, _ in redis.zscan_iter(keys.followers(topic))]


async def test_a_person_follows_and_leaves_topics(
    shop: Client, redis: Redis, log: Log, token: Callable[..., str]
) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada", "topics": ["sale"]})
    ada = shop.with_token(token("ada"))
    await log.since(PROFILES)
    for _ in range(2):
        answer = await ada("PUT", "/v1/users/ada/topics/news")
        assert (answer.status, answer.json) == (200, {"topics": ["news", "sale"]})
    (_, value), *_ = await log.read(1)
    assert decode(Profile, value or b"").topics == ("news", "sale")
    assert await _followers(redis, "news") == [b"ada"]
    for _ in range(2):
        answer = await ada("DELETE", "/v1/users/ada/topics/sale")
        assert (answer.status, answer.json) == (200, {"topics": ["news"]})
    assert await _followers(redis, "sale") == []
    assert (await ada("PUT", "/v1/users/bea/topics/news")).status == 403
    assert (await shop("PUT", "/v1/users/nobody/topics/news")).status == 404
    assert (await ada("PUT", f"/v1/users/ada/topics/{'x' * 129}")).status == 422


async def test_nobody_makes_themselves_an_admin(shop: Client, token: Callable[..., str]) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    ada = shop.with_token(token("ada"))
    for method in ("PUT", "DELETE"):
        answer = await ada(method, "/v1/users/ada/topics/admins")
        assert (answer.status, answer.code) == (403, "forbidden")
    assert (await shop("PUT", "/v1/users/ada/topics/admins")).json == {"topics": ["admins"]}


async def test_attributes_are_the_services_to_set(
    shop: Client, redis: Redis, token: Callable[..., str]
) -> None:
    body = {"user_id": "ada", "attributes": {"age": 41, "vip": True}, "topics": ["b", "a"]}
    made = await shop("POST", "/v1/users", body)
    assert (made.json["attributes"], made.json["topics"]) == (
        {"age": 41.0, "vip": True},
        ["a", "b"],
    )
    assert (await shop("POST", "/v1/users", body)).status == 200
    change = {"attributes": {"age": None, "tier": "gold"}, "topics": ["c"]}
    changed = await shop("PATCH", "/v1/users/ada", change)
    assert changed.json["attributes"] == {"vip": True, "tier": "gold"}
    assert await _followers(redis, "a") == []
    assert await _followers(redis, "c") == [b"ada"]
    ada = shop.with_token(token("ada"))
    assert (await ada("PATCH", "/v1/users/ada", {"attributes": {}})).status == 403
    wrong = await shop("PATCH", "/v1/users/ada", {"attributes": {"age": [1]}})
    assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "#/attributes")


async def test_more_topics_than_a_profile_holds_are_refused(shop: Client) -> None:
    topics = [f"t{i}" for i in range(100)]
    await shop("POST", "/v1/users", {"user_id": "ada", "topics": topics})
    answer = await shop("PUT", "/v1/users/ada/topics/one-more")
    assert (answer.status, answer.code) == (422, "invalid")
    assert (await shop("GET", "/v1/users/ada")).json["topics"] == sorted(topics)


async def test_an_erased_person_follows_nothing(shop: Client, redis: Redis) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada", "topics": ["news"]})
    assert (await shop("DELETE", "/v1/users/ada")).status == 204
    assert not await redis.exists(keys.PEOPLE, keys.followers("news"))
