"""People over HTTP: registered once, changed under a version, erased everywhere."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from api.publish import Publish
from api.services import Services
from tests.integration.api.conftest import Log
from tests.unit.api.asgi import Client
from tocsin.records import Profile, decode
from tocsin.store import keys
from tocsin.store.inbox import Inbox
from tocsin.topics import PROFILES, SUBSCRIPTIONS, Topic

pytestmark = pytest.mark.integration

ADA = {
    "user_id": "ada",
    "email": "ada@shop.example",
    "phone": "+4917012345678",
    "name": "Ada",
    "devices": {"phone": {"platform": "ios", "token": "0123456789abcdef"}},
}


async def test_a_person_is_registered_once(shop: Client) -> None:
    first = await shop("POST", "/v1/users", ADA)
    assert (first.status, first.headers["location"]) == (201, "/v1/users/ada")
    again = await shop("POST", "/v1/users", ADA)
    assert (again.status, again.json) == (200, first.json)
    other = await shop("POST", "/v1/users", ADA | {"name": "Bea"})
    assert (other.status, other.code) == (409, "conflict")


async def test_of_many_registrations_at_once_one_is_first(shop: Client) -> None:
    answers = await asyncio.gather(*(shop("POST", "/v1/users", ADA) for _ in range(10)))
    assert sorted(a.status for a in answers) == [200] * 9 + [201]


async def test_the_log_has_the_person_before_the_answer(shop: Client, log: Log) -> None:
    await log.since(PROFILES)
    await shop("POST", "/v1/users", ADA)
    ((key, value),) = await log.read(1)
    assert key == b"ada"
    assert value is not None
    assert decode(Profile, value).email == "ada@shop.example"


async def test_a_retry_writes_to_the_log_what_a_crash_may_have_kept_from_it(
    shop: Client, services: Services, log: Log
) -> None:
    profile = Profile(user_id="ada", name="Ada")
    await services.profiles.change("ada", lambda _: profile)  # and then the process died
    await log.since(PROFILES)
    assert (await shop("POST", "/v1/users", {"user_id": "ada", "name": "Ada"})).status == 200
    ((key, _),) = await log.read(1)
    assert key == b"ada"


def _version(value: bytes | None) -> int:
    assert value is not None
    return decode(Profile, value).version


async def test_changes_at_once_all_happen_and_the_log_ends_with_the_last(
    shop: Client, log: Log
) -> None:
    await shop("POST", "/v1/users", ADA)
    await log.since(PROFILES)
    bodies = [{"platform": "ios", "token": f"0123456789abcdef{i}"} for i in range(12)]
    answers = await asyncio.gather(
        *(shop("PUT", f"/v1/users/ada/devices/d{i}", body) for i, body in enumerate(bodies))
    )
    assert {a.status for a in answers} == {200}
    now = (await shop("GET", "/v1/users/ada")).json
    assert len(now["devices"]) == 13
    assert now["version"] == 13
    versions = [_version(value) for _, value in await log.read(12)]
    # a newer version may have been published by more than one of them
    while versions[-1] != 13:
        versions += [_version(value) for _, value in await log.read(1)]
    assert set(range(2, 14)) >= set(versions)


async def test_a_patch_changes_what_it_names(shop: Client) -> None:
    await shop("POST", "/v1/users", ADA)
    changed = await shop("PATCH", "/v1/users/ada", {"phone": None, "locale": "de"})
    assert changed.status == 200
    assert "phone" not in changed.json
    assert (changed.json["locale"], changed.json["email"]) == ("de", "ada@shop.example")
    wrong = await shop("PATCH", "/v1/users/ada", {"phone": "0170"})
    assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "#/phone")


async def test_somebody_unknown_is_404(shop: Client) -> None:
    for method, path, body in (
        ("GET", "/v1/users/nobody", None),
        ("PATCH", "/v1/users/nobody", {"name": "x"}),
        ("DELETE", "/v1/users/nobody", None),
        ("GET", "/v1/users/nobody/preferences", None),
        ("PUT", "/v1/users/nobody/preferences", {}),
        ("PUT", "/v1/users/nobody/devices/d", {"platform": "web", "token": "12345678"}),
        ("DELETE", "/v1/users/nobody/devices/d", None),
    ):
        answer = await shop(method, path, body)
        assert (answer.status, answer.code) == (404, "not_found"), (method, path)
        assert "nobody" in answer.json["detail"]


async def test_preferences_are_replaced_whole(shop: Client) -> None:
    await shop("POST", "/v1/users", ADA)
    wanted = {
        "muted": {"promotional": ["sms", "email"]},
        "quiet_hours": {"start": "22:00", "end": "07:30"},
        "timezone": "Europe/Berlin",
    }
    assert (await shop("PUT", "/v1/users/ada/preferences", wanted)).status == 200
    assert (await shop("GET", "/v1/users/ada/preferences")).json == wanted
    await shop("PUT", "/v1/users/ada/preferences", {"opted_out": True})
    assert (await shop("GET", "/v1/users/ada/preferences")).json == {"opted_out": True}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"timezone": "Mars/Olympus"}, "#/timezone"),
        ({"quiet_hours": {"start": "25:00", "end": "07:00"}}, "#/quiet_hours/start"),
        ({"muted": {"stock": ["pigeon"]}}, "#/muted"),
        ({"mutted": {}}, "#/mutted"),
    ],
)
async def test_wrong_preferences_are_named(
    shop: Client, body: dict[str, object], pointer: str
) -> None:
    await shop("POST", "/v1/users", ADA)
    answer = await shop("PUT", "/v1/users/ada/preferences", body)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, pointer)


async def test_devices_come_and_go_and_the_oldest_makes_room(shop: Client) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    body = {"platform": "android", "token": "0123456789"}
    for i in range(21):
        assert (await shop("PUT", f"/v1/users/ada/devices/d{i}", body)).status == 200
    devices = (await shop("GET", "/v1/users/ada")).json["devices"]
    assert len(devices) == 20
    assert "d0" not in devices
    for _ in range(2):
        assert (await shop("DELETE", "/v1/users/ada/devices/d5")).status == 204
    assert "d5" not in (await shop("GET", "/v1/users/ada")).json["devices"]


async def test_an_erased_person_is_gone_from_view_and_log(
    shop: Client, redis: Redis, log: Log
) -> None:
    await shop("POST", "/v1/users", ADA)
    body = {"user_id": "ada", "sku": "lamp", "subscription_id": "s1"}
    await shop("POST", "/v1/subscriptions?allow_unknown_sku=true", body)
    await Inbox(redis).append([("ada", "n1", b"{}")])
    await log.since(PROFILES)
    assert (await shop("DELETE", "/v1/users/ada")).status == 204
    assert await log.read(1) == [(b"ada", None)]
    # that n1 was delivered names nobody
    left = {key async for key in redis.scan_iter("*")}
    assert left == {b"sent:n1:inapp", keys.STORE_READY.encode()}
    assert (await shop("DELETE", "/v1/users/ada")).status == 404


async def test_nothing_that_names_an_erased_person_is_left_and_others_keep_theirs(
    shop: Client, redis: Redis
) -> None:
    await shop("POST", "/v1/users", {"user_id": "a*a", "phone": "+4917012345678"})
    await shop("POST", "/v1/otp", {"user_id": "a*a", "purpose": "login"})
    others = [keys.dedupe("aba", "SALE_OFFER", "k"), "cap:{aba}:promotional:day", "sent:n1:email"]
    for key in (keys.dedupe("a*a", "SALE_OFFER", "k"), "cap:{a*a}:promotional:day", *others):
        await redis.set(key, "1")
    await redis.zadd(keys.SHARDS, {"shard-0": 9e15})
    await redis.sadd(keys.shard_users("shard-0"), "a*a", "aba")
    assert (await shop("DELETE", "/v1/users/a*a")).status == 204
    left = {key.decode() async for key in redis.scan_iter("*")}
    assert left == {keys.STORE_READY, keys.SHARDS, keys.shard_users("shard-0"), *others}
    assert await redis.smembers(keys.shard_users("shard-0")) == {b"aba"}


async def test_who_changes_while_being_erased_is_not_left_in_the_log(
    shop: Client, services: Services, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop("POST", "/v1/users", ADA)
    await log.since(PROFILES)
    many = services.publish.many

    async def erased_first(topic: Topic, items: Any) -> None:
        monkeypatch.setattr(Publish, "many", lambda _, *args: many(*args))
        assert (await shop("DELETE", "/v1/users/ada")).status == 204
        await many(topic, items)

    monkeypatch.setattr(Publish, "many", lambda _, *args: erased_first(*args))
    assert (await shop("PATCH", "/v1/users/ada", {"name": "Late"})).status == 200
    lines = await log.read(3)
    assert [value is None for _, value in lines] == [True, False, True]


async def test_in_an_emptied_store_nobody_is_404_and_nobody_begins_anew(
    shop: Client, redis: Redis, log: Log
) -> None:
    await shop("POST", "/v1/users", ADA)
    await redis.flushall()
    await log.since(PROFILES)
    for method, path, body in (
        ("GET", "/v1/users/ada", None),
        ("POST", "/v1/users", ADA),
        ("PATCH", "/v1/users/ada", {"name": "x"}),
        ("PUT", "/v1/users/ada/preferences", {}),
        ("DELETE", "/v1/users/ada", None),
        ("POST", "/v1/users:batch", {"users": [ADA]}),
        ("POST", "/v1/otp", {"user_id": "ada", "purpose": "login"}),
        ("GET", "/v1/subscriptions?user_id=ada", None),
        ("GET", "/v1/subscriptions/s1", None),
        ("DELETE", "/v1/subscriptions/s1", None),
        ("POST", "/v1/subscriptions", {"user_id": "ada", "sku": "lamp"}),
    ):
        answer = await shop(method, path, body)
        assert (answer.status, answer.code) == (503, "unavailable"), (method, path)
        assert "tocsin rebuild" in answer.json["detail"]
        assert answer.headers["retry-after"] == "1"
    ready = await shop("GET", "/readyz")
    assert (ready.status, ready.json["engines"]) == (503, {"kafka": True, "redis": False})
    assert await log.nothing()
    assert await redis.dbsize() == 0


async def test_erasing_leaves_tombstones_of_the_sign_ups(shop: Client, log: Log) -> None:
    await shop("POST", "/v1/users", ADA)
    body = {"user_id": "ada", "sku": "lamp", "subscription_id": "s1"}
    await shop("POST", "/v1/subscriptions?allow_unknown_sku=true", body)
    await log.since(SUBSCRIPTIONS)
    await shop("DELETE", "/v1/users/ada")
    assert await log.read(1) == [(b"s1", None)]


async def test_in_a_batch_each_person_has_a_result(shop: Client, log: Log) -> None:
    await shop("POST", "/v1/users", {"user_id": "old"})
    await shop("POST", "/v1/users", {"user_id": "other", "name": "Other"})
    await log.since(PROFILES)
    users = [
        {"user_id": "new"},
        {"user_id": "old"},
        {"user_id": "other", "name": "Another"},
        {"user_id": "bad", "email": "no"},
        {"user_id": "new", "name": "Again"},
        {"user_id": "far", "preferences": {"timezone": "Nowhere"}},
        "not even an object",
    ]
    answer = await shop("POST", "/v1/users:batch", {"users": users})
    assert answer.status == 200
    results = answer.json["results"]
    assert [r["status"] for r in results] == [201, 200, 409, 422, 422, 422, 422]
    assert (answer.json["done"], answer.json["refused"]) == (2, 5)
    pointers = [r["errors"][0]["pointer"] for r in results[3:]]
    assert pointers == [
        "#/users/3/email", "#/users/4/user_id", "#/users/5/preferences/timezone", "#/users/6",
    ]  # fmt: skip
    assert sorted(key for key, _ in await log.read(2) if key) == [b"new", b"old"]


async def test_a_thousand_people_fit_a_batch_and_no_more(shop: Client) -> None:
    users = [{"user_id": f"u{i}"} for i in range(1001)]
    answer = await shop("POST", "/v1/users:batch", users[:1000])
    assert answer.json["done"] == 1000
    answer = await shop("POST", "/v1/users:batch", {"users": users})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "#/users")
    assert "1,001" in answer.json["detail"]


async def test_a_user_sees_only_itself(shop: Client, token: Callable[..., str]) -> None:
    await shop("POST", "/v1/users", ADA)
    await shop("POST", "/v1/users", {"user_id": "bea"})
    ada = shop.with_token(token("ada"))
    assert (await ada("GET", "/v1/users/ada")).status == 200
    assert (await ada("PUT", "/v1/users/ada/preferences", {})).status == 200
    for method, path in (
        ("GET", "/v1/users/bea"),
        ("PUT", "/v1/users/bea/preferences"),
        ("PUT", "/v1/users/bea/devices/d"),
        ("DELETE", "/v1/users/ada"),
        ("PATCH", "/v1/users/ada"),
        ("POST", "/v1/users"),
    ):
        answer = await ada(method, path, {})
        assert (answer.status, answer.code) == (403, "forbidden"), (method, path)


async def test_a_missing_scope_is_named(shop: Client, token: Callable[..., str]) -> None:
    answer = await shop.with_token(token("s", "otp"))("POST", "/v1/users", ADA)
    assert answer.status == 403
    assert "users:write" in answer.json["detail"]
    assert 'scope="users:write"' in answer.headers["www-authenticate"]
