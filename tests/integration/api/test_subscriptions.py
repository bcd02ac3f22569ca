"""Sign-ups over HTTP: in the log before they can fire, once, and only the caller's own."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from api.services import Services
from tests.integration.api.conftest import Log
from tests.unit.api.asgi import Client
from tocsin.records import InventoryChange, Subscription, decode
from tocsin.topics import SUBSCRIPTIONS

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

AHEAD = "/v1/subscriptions?allow_unknown_sku=true"


@pytest.fixture(autouse=True)
async def _stock_and_people(shop: Client, services: Services) -> None:
    """Lamps are sold out; Ada and Bea are registered."""
    await shop("POST", "/v1/users:batch", [{"user_id": "ada"}, {"user_id": "bea"}])
    gone = InventoryChange(event_id="e1", sku="lamp", occurred_at=datetime.now(UTC), available=0)
    await services.subscriptions.apply([gone])


def restocked(event: str = "e2") -> InventoryChange:
    return InventoryChange(event_id=event, sku="lamp", occurred_at=datetime.now(UTC), available=5)


async def test_a_sign_up_is_in_log_and_queue_before_the_answer(
    shop: Client, services: Services, log: Log
) -> None:
    await log.since(SUBSCRIPTIONS)
    answer = await shop("POST", "/v1/subscriptions", {"user_id": "ada", "sku": "lamp"})
    assert (answer.status, answer.json["sku"]) == (201, "lamp")
    ((key, value),) = await log.read(1)
    assert key == answer.json["subscription_id"].encode()
    (applied,) = await services.subscriptions.apply([restocked()])
    assert value is not None
    assert applied.firing == [decode(Subscription, value)]


async def test_a_user_signs_up_itself_and_nobody_else(
    shop: Client, token: Callable[..., str]
) -> None:
    ada = shop.with_token(token("ada"))
    answer = await ada("POST", "/v1/subscriptions", {"sku": "lamp", "channels": ["push"]})
    assert (answer.status, answer.json["user_id"]) == (201, "ada")
    other = await ada("POST", "/v1/subscriptions", {"sku": "lamp", "user_id": "bea"})
    assert other.status == 403
    listed = (await ada("GET", "/v1/subscriptions")).json["subscriptions"]
    assert [s["subscription_id"] for s in listed] == [answer.json["subscription_id"]]
    assert (await ada("GET", "/v1/subscriptions?user_id=bea")).status == 403


async def test_signing_up_twice_is_waiting_once(shop: Client, services: Services) -> None:
    body = {"user_id": "ada", "sku": "lamp"}
    answers = await asyncio.gather(*(shop("POST", "/v1/subscriptions", body) for _ in range(8)))
    assert {a.status for a in answers} <= {200, 201}
    assert len({a.json["subscription_id"] for a in answers}) == 1
    (applied,) = await services.subscriptions.apply([restocked()])
    assert len(applied.firing) == 1


async def test_who_was_told_may_wait_again(shop: Client, services: Services) -> None:
    body = {"user_id": "ada", "sku": "lamp"}
    first = await shop("POST", "/v1/subscriptions", body)
    (applied,) = await services.subscriptions.apply([restocked()])
    await services.subscriptions.fired(applied.firing)
    second = await shop("POST", "/v1/subscriptions", body)
    assert second.status == 201
    assert second.json["subscription_id"] != first.json["subscription_id"]


async def test_an_id_of_the_callers_own_makes_a_retry_harmless(
    shop: Client, services: Services
) -> None:
    body = {"user_id": "ada", "sku": "lamp", "subscription_id": "s1"}
    assert (await shop("POST", "/v1/subscriptions", body)).status == 201
    (applied,) = await services.subscriptions.apply([restocked()])
    await services.subscriptions.fired(applied.firing)
    again = await shop("POST", "/v1/subscriptions", body)
    assert (again.status, again.json["state"]) == (200, "notified")
    (applied,) = await services.subscriptions.apply([restocked("e3")])
    assert applied.firing == []
    other = await shop("POST", "/v1/subscriptions", body | {"wanted": 2})
    assert (other.status, other.code) == (409, "conflict")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"sku": "unheard"}, "#/sku"),
        ({"user_id": "nobody"}, "#/user_id"),
        ({"wanted": 0}, "#/wanted"),
        ({"channels": ["fax"]}, "#/channels/0"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "#/expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "#/expires_at"),
        ({"user_id": None}, "#/user_id"),
        ({"colour": "red"}, "#/colour"),
    ],
)
async def test_what_is_wrong_is_named(
    shop: Client, change: dict[str, object], pointer: str
) -> None:
    body = {"user_id": "ada", "sku": "lamp"} | change
    answer = await shop("POST", "/v1/subscriptions", body)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, pointer)


async def test_a_sku_may_be_waited_for_ahead_of_its_first_stock(shop: Client) -> None:
    body = {"user_id": "ada", "sku": "new-lamp"}
    refused = await shop("POST", "/v1/subscriptions", body)
    assert "allow_unknown_sku" in refused.json["detail"]
    assert (await shop("POST", AHEAD, body)).status == 201


async def test_a_cancelled_sign_up_does_not_fire(
    shop: Client, services: Services, log: Log, token: Callable[..., str]
) -> None:
    ada = shop.with_token(token("ada"))
    made = await ada("POST", "/v1/subscriptions", {"sku": "lamp"})
    place = f"/v1/subscriptions/{made.json['subscription_id']}"
    assert (await shop.with_token(token("bea"))("DELETE", place)).status == 404
    assert (await shop.with_token(token("bea"))("GET", place)).status == 404
    await log.since(SUBSCRIPTIONS)
    for _ in range(2):
        assert (await ada("DELETE", place)).status == 204
    ((_, value),) = await log.read(1)
    assert value is not None
    assert decode(Subscription, value).state == "cancelled"
    (applied,) = await services.subscriptions.apply([restocked()])
    assert applied.firing == []
    assert (await ada("GET", place)).json["state"] == "cancelled"


async def test_in_a_batch_each_sign_up_has_a_result(shop: Client, log: Log) -> None:
    await log.since(SUBSCRIPTIONS)
    first = {"user_id": "ada", "sku": "lamp", "subscription_id": "s1"}
    batch = [
        first,
        {"user_id": "bea", "sku": "lamp", "subscription_id": "s2"},
        first,
        first | {"wanted": 7},
        {"user_id": "ada", "sku": "unheard"},
        {"user_id": "nobody", "sku": "lamp"},
        {"sku": "lamp"},
        {"user_id": "ada"},
    ]
    answer = await shop("POST", "/v1/subscriptions:batch", {"subscriptions": batch})
    results = answer.json["results"]
    assert [r["status"] for r in results] == [201, 201, 200, 409, 422, 422, 422, 422]
    assert results[0]["id"] == "s1"
    assert [r["errors"][0]["pointer"] for r in results[4:]] == [
        f"#/subscriptions/{place}" for place in ("4/sku", "5/user_id", "6/user_id", "7/sku")
    ]
    assert sorted(key for key, _ in await log.read(2) if key) == [b"s1", b"s2"]


async def test_a_batch_repeated_changes_nothing(shop: Client, redis: Redis) -> None:
    batch = [{"user_id": "ada", "sku": f"x{i}", "subscription_id": f"s{i}"} for i in range(300)]
    first = await shop("POST", "/v1/subscriptions:batch?allow_unknown_sku=true", batch)
    again = await shop("POST", "/v1/subscriptions:batch?allow_unknown_sku=true", batch)
    assert {r["status"] for r in first.json["results"]} == {201}
    assert {r["status"] for r in again.json["results"]} == {200}
    assert await redis.zcard("waiting:{x7}") == 1
