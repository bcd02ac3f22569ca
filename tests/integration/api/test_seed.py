"""The seed documents' endpoint names, with the bodies such documents have, and their errors."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from clickhouse_connect.driver import AsyncClient
from redis.asyncio import Redis

from analytics.writer.tables import ACCEPTED, DELIVERIES
from api.services import Services
from tests.integration.api.conftest import Log
from tests.integration.test_analytics_schema import insert, outcome
from tests.unit.api.asgi import Answer, Client
from tocsin.records import (
    InventoryChange,
    NotificationRequest,
    OtpChallenge,
    Profile,
    State,
    Subscription,
    decode,
    split_requests,
)
from tocsin.settings import Settings
from tocsin.store.inbox import Inbox
from tocsin.topics import INVENTORY, OTP, PROFILES, REQUESTS, REQUESTS_LOW, SUBSCRIPTIONS, Topic

LATER = (datetime.now(UTC) + timedelta(days=30)).isoformat()
pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

ADA = {
    "userId": "ada", "email": "ada@shop.example", "phoneNumber": "+4917012345678",
    "deviceToken": "0123456789abcdef", "platform": "ios", "name": "Ada",
}  # fmt: skip


@pytest.fixture
async def ada(shop: Client) -> Client:
    assert (await shop("POST", "/api/v1/register", ADA)).status == 201
    return shop


async def record(log: Log, kind: type[Any], at_least: int = 1) -> Any:
    (_, value), *_ = await log.read(at_least)
    return decode(kind, value or b"")


def pointers(answer: Answer) -> list[str]:
    assert answer.code == "invalid"
    return [error["pointer"] for error in answer.json["errors"]]


async def test_register(shop: Client, log: Log) -> None:
    await log.since(PROFILES)
    first = await shop("POST", "/api/v1/register", ADA | {"password": "x"})
    assert (first.status, first.json) == (
        201, {"userId": "ada", "status": "registered", "ignored": ["password"]},
    )  # fmt: skip
    profile = await record(log, Profile)
    assert (profile.email, profile.phone) == ("ada@shop.example", "+4917012345678")
    assert profile.devices["ios"].token == "0123456789abcdef"
    assert (await shop("POST", "/api/v1/register", ADA)).status == 200
    other = await shop("POST", "/api/v1/register", ADA | {"name": "Bea"})
    assert (other.status, other.code) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": "a@b.example"}, "#/userId"),
        (ADA | {"phoneNumber": "0170"}, "#/phoneNumber"),
        (ADA | {"deviceToken": "x"}, "#/deviceToken"),
        (ADA | {"preferences": {"timezone": "Mars/Olympus"}}, "#/preferences/timezone"),
        ([], "#"),
    ],
)
async def test_register_names_what_is_wrong(shop: Client, body: Any, pointer: str) -> None:
    answer = await shop("POST", "/api/v1/register", body)
    assert (answer.status, pointers(answer)) == (422, [pointer])


async def test_update_device_token(ada: Client, token: Callable[..., str]) -> None:
    body = {"userId": "ada", "deviceToken": "fedcba9876543210"}
    answer = await ada("PUT", "/api/v1/updateDeviceToken", body)
    assert (answer.status, answer.json) == (
        200, {"userId": "ada", "status": "updated", "deviceId": "ios"},
    )  # fmt: skip
    own = ada.with_token(token("ada"))
    assert (await own("PUT", "/api/v1/updateDeviceToken", body | {"deviceId": "d2"})).status == 200
    devices = (await ada("GET", "/v1/users/ada")).json["devices"]
    assert {name: device["token"] for name, device in devices.items()} == dict.fromkeys(
        ("ios", "d2"), "fedcba9876543210"
    )
    stranger = ada.with_token(token("bea"))
    assert (await stranger("PUT", "/api/v1/updateDeviceToken", body)).status == 403
    for wrong, pointer in (
        (body | {"userId": "nobody"}, "#/userId"), ({"userId": "ada"}, "#/deviceToken"),
    ):  # fmt: skip
        answer = await ada("PUT", "/api/v1/updateDeviceToken", wrong)
        assert (answer.status, pointers(answer)) == (422, [pointer])


def requests(records: Any) -> list[NotificationRequest]:
    found = [r for _, value in records for r in split_requests(value)]
    return [r for r in found if isinstance(r, NotificationRequest)]


@pytest.mark.parametrize("path", ["/api/v1/sendNotification", "/notifications/send"])
@pytest.mark.parametrize(
    ("priority", "topic"), [("NORMAL", REQUESTS), ("low", REQUESTS_LOW)]
)  # fmt: skip
async def test_send_notification(
    ada: Client, log: Log, path: str, priority: str, topic: Topic
) -> None:
    await log.since(topic)
    body = {
        "userId": "ada", "type": "SALE_OFFER", "channel": "push", "title": "Hi",
        "message": "20 % off", "priority": priority, "scheduleTime": LATER,
    }  # fmt: skip
    answer = await ada("POST", path, body, idempotency_key="k")
    assert (answer.status, answer.json["status"]) == (202, "accepted")
    assert (await ada("POST", path, body, idempotency_key="k")).json == answer.json
    (request,) = requests(await log.read(1))
    assert request.notification_id == answer.json["notificationId"]
    assert (request.type, request.channels) == ("SALE_OFFER", ("push",))
    assert request.data == {"title": "Hi", "body": "20 % off", "message": "20 % off"}
    assert request.send_at is not None
    assert await log.nothing()


async def test_send_to_many(ada: Client, log: Log) -> None:
    await log.since(REQUESTS)
    body = {"userIds": ["ada", "nobody", "ada"], "type": "push", "message": "Hello"}
    answer = await ada("POST", "/notifications/send", body)
    assert (answer.status, answer.json["status"]) == (202, "accepted")
    assert (answer.json["accepted"], answer.json["rejected"]) == (2, 1)
    assert [i is None for i in answer.json["notificationIds"]] == [False, True, False]
    assert [e["pointer"] for e in answer.json["errors"]] == ["#/userIds/1"]
    assert {r.user_id for r in requests(await log.read(1))} == {"ada"}
    none = await ada("POST", "/notifications/send", body | {"userIds": ["nobody", "x"]})
    assert (none.status, pointers(none)) == (422, ["#/userIds/0", "#/userIds/1"])


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"userId": "nobody"}, "#/userId"),
        ({"userId": None}, "#/userId"),
        ({"channel": "fax"}, "#/channel"),
        ({"channels": ["push", "fax"]}, "#/channels/1"),
        ({"priority": "whenever"}, "#/priority"),
        ({"scheduleTime": "tomorrow"}, "#/scheduleTime"),
        ({"type": "OTP"}, "#/type"),
        ({"data": "x"}, "#/data"),
    ],
)
async def test_send_names_what_is_wrong(
    ada: Client, log: Log, change: dict[str, Any], pointer: str
) -> None:
    await log.since(REQUESTS)
    body = {"userId": "ada", "type": "ORDER_UPDATE", "message": "x", "data": {"order": "7"}}
    answer = await ada("POST", "/api/v1/sendNotification", body | change)
    assert (answer.status, pointers(answer)) == (422, [pointer])
    assert await log.nothing()


async def test_opt_out(ada: Client, log: Log, token: Callable[..., str]) -> None:
    await log.since(PROFILES)
    own = ada.with_token(token("ada"))
    body = {"userId": "ada", "channel": "sms", "notificationType": "NEWSLETTER"}
    answer = await own("POST", "/api/v1/optOut", body)
    assert (answer.status, answer.json) == (200, {"userId": "ada", "status": "opted_out"})
    assert (await record(log, Profile)).preferences.muted == {"promotional": ("sms",)}
    assert (await ada("POST", "/api/v1/optOut", {"userId": "ada"})).status == 200
    assert (await ada("GET", "/v1/users/ada/preferences")).json == {
        "opted_out": True, "muted": {"promotional": ["sms"]},
    }  # fmt: skip
    for wrong, pointer in (
        ({"userId": "nobody"}, "#/userId"), ({"userId": "ada", "channel": "fax"}, "#/channel"),
        ({}, "#/userId"),
    ):  # fmt: skip
        answer = await ada("POST", "/api/v1/optOut", wrong)
        assert (answer.status, pointers(answer)) == (422, [pointer])


class TestStatus:
    """With the books."""

    @pytest.fixture
    async def services(
        self, settings: Settings, redis: Redis, producer: AIOKafkaProducer,
        clickhouse: AsyncClient, clickhouse_url: str,
    ) -> AsyncIterator[Services]:  # fmt: skip
        secret = type(settings.clickhouse_url)
        there = settings.model_copy(update={"clickhouse_url": secret(clickhouse_url)})
        made = Services.over(there, redis, producer)
        yield made
        await made.figures.close()

    async def test_notification_status(
        self, shop: Client, clickhouse: AsyncClient, token: Callable[..., str]
    ) -> None:
        await insert(clickhouse, ACCEPTED, outcome("n1", State.ACCEPTED, "push", user_id="ada"))
        path = "/api/v1/notificationStatus?notificationId=n1"
        assert (await shop("GET", path)).json["status"] == "pending"
        await insert(clickhouse, DELIVERIES, outcome("n1", State.DELIVERED, "push", user_id="ada"))
        answer = await shop("GET", path)
        assert (answer.status, answer.json["notificationId"]) == (200, "n1")
        assert answer.json["status"] == "delivered"
        assert answer.json["channels"]["push"]["state"] == "delivered"
        assert (await shop.with_token(token("bea"))("GET", path)).status == 404
        unknown = await shop("GET", "/api/v1/notificationStatus?notificationId=n2")
        assert (unknown.status, unknown.code) == (404, "not_found")
        missing = await shop("GET", "/api/v1/notificationStatus")
        assert (missing.status, missing.code) == (422, "invalid")
        assert "notificationId" in missing.json["detail"]


async def test_subscribe_and_unsubscribe(ada: Client, log: Log, token: Callable[..., str]) -> None:
    await log.since(SUBSCRIPTIONS)
    body = {"userId": "ada", "productId": "A1", "channels": ["push", "EMAIL"], "quantity": 2}
    first = await ada("POST", "/notifications/subscribe", body)
    assert (first.status, first.json["status"]) == (201, "subscribed")
    assert (first.json["userId"], first.json["productId"]) == ("ada", "A1")
    kept = await record(log, Subscription)
    assert (kept.sku, kept.channels, kept.wanted) == ("A1", ("push", "email"), 2)
    assert kept.subscription_id == first.json["subscriptionId"]
    assert (await ada("POST", "/notifications/subscribe", body)).status == 200
    own = ada.with_token(token("ada"))
    assert (await own("POST", "/notifications/subscribe", {"sku": "A2"})).status == 201
    gone = await ada("DELETE", "/notifications/unsubscribe", {"userId": "ada", "productId": "A1"})
    assert (gone.status, gone.json["status"]) == (200, "unsubscribed")
    assert (await own("DELETE", "/notifications/unsubscribe?sku=A2")).status == 200
    assert (await own("DELETE", "/notifications/unsubscribe?sku=A2")).status == 200
    listed = (await ada("GET", "/v1/subscriptions?user_id=ada")).json["subscriptions"]
    assert {s["state"] for s in listed} == {"cancelled"}
    assert (await own("DELETE", "/notifications/unsubscribe?sku=A3")).code == "not_found"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"productId": "A"}, "#/userId"),
        ({"userId": "nobody", "productId": "A"}, "#/userId"),
        ({"userId": "ada"}, "#/productId"),
        ({"userId": "ada", "product_id": "A", "quantity": -1}, "#/quantity"),
        ({"userId": "ada", "productId": "A", "channel": "fax"}, "#/channel"),
    ],
)
async def test_subscribe_names_what_is_wrong(ada: Client, body: Any, pointer: str) -> None:
    answer = await ada("POST", "/notifications/subscribe", body)
    assert (answer.status, pointers(answer)) == (422, [pointer])


async def test_inbox_and_read(ada: Client, redis: Redis, token: Callable[..., str]) -> None:
    await Inbox(redis).append(
        [
            ("ada", f"n{n}", json.dumps(
                {"notification_id": f"n{n}", "type": "T", "title": f"{n}", "body": "b", "at": "x"}
            ).encode())
            for n in range(1, 6)
        ]
    )  # fmt: skip
    own = ada.with_token(token("ada"))
    page = (await own("GET", "/notifications/ada?page=2&limit=2")).json
    assert [item["notificationId"] for item in page["items"]] == ["n3", "n2"]
    assert page["items"][0] == {
        "notificationId": "n3", "type": "T", "title": "3", "message": "b", "read": False,
        "createdAt": "x", "category": "", "priority": "normal", "url": "",
    }  # fmt: skip
    assert {k: page[k] for k in ("page", "limit", "total", "unread")} == {
        "page": 2, "limit": 2, "total": 5, "unread": 5,
    }  # fmt: skip
    read = await own("PATCH", "/notifications/n3/read")
    assert (read.status, read.json) == (
        200, {"notificationId": "n3", "status": "read", "unread": 4},
    )  # fmt: skip
    again = await ada("PATCH", "/notifications/n4/read", {"userId": "ada"})
    assert (again.status, again.json["unread"]) == (200, 3)
    unread = (await ada("GET", "/notifications/ada?status=unread")).json
    assert [item["notificationId"] for item in unread["items"]] == ["n5", "n2", "n1"]
    assert unread["total"] == 3


async def test_an_inbox_is_its_owners(ada: Client, token: Callable[..., str]) -> None:
    for caller in (token("bea"), token("shop", "users:read")):
        assert (await ada.with_token(caller)("GET", "/notifications/ada")).status == 403
    assert (await ada("GET", "/notifications/nobody")).code == "not_found"
    nobodys = await ada("PATCH", "/notifications/n1/read")
    assert (nobodys.status, pointers(nobodys)) == (422, ["#/userId"])
    missing = await ada("PATCH", "/notifications/n1/read", {"userId": "ada"})
    assert (missing.status, missing.code) == (404, "not_found")
    bea = ada.with_token(token("bea"))
    assert (await bea("PATCH", "/notifications/n1/read", {"userId": "ada"})).status == 403
    for query in ("page=0", "limit=101", "status=new"):
        answer = await ada("GET", f"/notifications/ada?{query}")
        assert (answer.status, answer.code) == (422, "invalid")


async def test_update_stock(shop: Client, log: Log) -> None:
    await log.since(INVENTORY)
    answer = await shop("POST", "/admin/update-stock", {"productId": "A1", "stock": 5})
    assert (answer.status, answer.json["status"]) == (202, "accepted")
    change = await record(log, InventoryChange)
    assert (change.sku, change.available) == ("A1", 5)
    assert change.event_id == answer.json["eventId"]
    for wrong, pointer in (
        ({"productId": "A1"}, "#/stock"), ({"stock": 1}, "#/productId"),
        ({"productId": "A1", "quantity": -1}, "#/quantity"),
        ({"sku": "A1", "stock": 1, "delta": 1}, "#"),
    ):  # fmt: skip
        refused = await shop("POST", "/admin/update-stock", wrong)
        assert (refused.status, pointers(refused)) == (422, [pointer])


async def test_request_otp(ada: Client, log: Log) -> None:
    await log.since(OTP)
    known = await ada("POST", "/auth/request-otp", {"userId": "ada"})
    unknown = await ada("POST", "/auth/request-otp", {"phone": "+4917000000000"})
    assert (known.status, unknown.status) == (202, 202)
    assert set(known.json) == set(unknown.json) == {"challenge_id", "expires_at"}
    ids = {decode(OtpChallenge, value or b"").challenge_id for _, value in await log.read(2)}
    assert ids == {known.json["challenge_id"], unknown.json["challenge_id"]}
    wrong = await ada("POST", "/auth/request-otp", {"userId": "ada", "via": "email"})
    assert (wrong.status, pointers(wrong)) == (422, ["#/via"])
    assert pointers(await ada("POST", "/auth/request-otp", {})) == ["#/userId"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/register"), ("PUT", "/api/v1/updateDeviceToken"),
        ("POST", "/api/v1/sendNotification"), ("POST", "/api/v1/optOut"),
        ("GET", "/api/v1/notificationStatus?notificationId=n"),
        ("POST", "/notifications/subscribe"), ("DELETE", "/notifications/unsubscribe?sku=A"),
        ("POST", "/notifications/send"), ("GET", "/notifications/ada"),
        ("PATCH", "/notifications/n/read"), ("POST", "/admin/update-stock"),
        ("POST", "/auth/request-otp"),
    ],
)  # fmt: skip
async def test_nobody_comes_in_without_a_token_or_with_too_little(
    ada: Client, token: Callable[..., str], method: str, path: str
) -> None:
    body = {"userId": "ada", "productId": "A", "deviceToken": "0123456789abcdef"}
    nobody = await ada.with_token(None)(method, path, body)
    assert (nobody.status, nobody.code) == (401, "unauthorized")
    little = await ada.with_token(token("shop", "stats:read"))(method, path, body)
    assert (little.status, little.code) == (403, "forbidden")
