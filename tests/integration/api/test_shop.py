"""The shop's back end over a real store, a real broker and the provider sandbox."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from api.app import create_app
from api.routes import shop as door
from api.services import Services
from api.shop import words
from api.shop.opening import opening
from api.shop.products import PRODUCTS, SKUS
from tests.integration.api.conftest import Log
from tests.integration.conftest import free_port
from tests.unit.api.asgi import Answer, Client
from tocsin.records import (
    Broadcast,
    InventoryChange,
    Lane,
    NotificationRequest,
    OtpChallenge,
    Profile,
    decode,
)
from tocsin.settings import Settings
from tocsin.store.tickets import Tickets
from tocsin.tokens import mint
from tocsin.topics import BROADCASTS, INVENTORY, OTP, REQUESTS_BY_LANE, TEMPLATES

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

LAMP, HEART = SKUS[0], SKUS[1]
ADA = {"name": "Ada Archer", "number": "+447700912345"}
ADA_ID = "shopper-12345"


@pytest.fixture
def settings(settings: Settings, sandbox_env: dict[str, str]) -> Settings:
    """Beside the sandbox. ClickHouse is away: the shop does without."""
    nowhere = f"clickhouse://127.0.0.1:{free_port()}/tocsin"
    demo = {"sandbox_url": sandbox_env["TOCSIN_SANDBOX_URL"]}
    made = settings.model_dump(exclude_unset=True) | demo | {"clickhouse_url": nowhere}
    return Settings(**made)


@pytest.fixture
async def visitor(
    settings: Settings, redis: Redis, producer: AIOKafkaProducer
) -> AsyncIterator[Client]:
    """Somebody with the shop open."""
    app = create_app(Services.over(settings, redis, producer))
    yield Client(app)
    await door.close(app)


def services_of(visitor: Client) -> Services:
    found: Services = visitor._app.state.services
    return found


async def stocked(visitor: Client, **available: int) -> None:
    """As streams apply it; nothing else in these tests does."""
    services = services_of(visitor)
    now = services.clock.now()
    changes = [
        InventoryChange(event_id=uuid4().hex, sku=sku, occurred_at=now, available=left)
        for sku, left in available.items()
    ]
    await services.subscriptions.apply(changes)


async def ask_code(visitor: Client, **who: str) -> Answer:
    return await visitor("POST", "/shop/api/login", ADA | who)


async def code_of(visitor: Client, challenge: str) -> str:
    (found,) = await services_of(visitor).otp.deliverable([challenge])
    assert found is not None
    assert found.recipient == ADA["number"]
    return found.code


async def logged_in(visitor: Client) -> Client:
    sent = (await ask_code(visitor)).json
    body = {"number": sent["number"], "challenge_id": sent["challenge_id"]}
    body["code"] = await code_of(visitor, sent["challenge_id"])
    answer = await visitor("POST", "/shop/api/login/verify", body)
    assert answer.status == 200
    return visitor.with_token(answer.json["token"])


async def test_the_first_visitor_opens_the_shop_once(visitor: Client, log: Log) -> None:
    await log.since(INVENTORY)
    await stocked(visitor, **{LAMP: 7})
    found = (await visitor("GET", "/shop/api/products")).json["products"]
    assert [p["sku"] for p in found] == list(SKUS)
    assert (found[0]["available"], found[1]["available"]) == (7, None)
    changes = [decode(InventoryChange, value) for _, value in await log.read(47) if value]
    assert {c.sku: c.available for c in changes} == {
        p.sku: p.opening for p in PRODUCTS.values() if p.sku != LAMP
    }
    await visitor("GET", "/shop/api/products")
    assert await log.nothing()
    await services_of(visitor).subscriptions.apply(changes)
    shelves = (await visitor("GET", "/shop/api/counter")).json["shelves"]
    assert shelves[1] == {"sku": HEART, "available": PRODUCTS[HEART].opening, "waiting": 0}


async def test_a_replay_of_old_sales_is_newer_than_the_first_stock(visitor: Client) -> None:
    subscriptions = services_of(visitor).subscriptions
    await subscriptions.apply([opening(LAMP)])
    sold = InventoryChange("replay:1", LAMP, datetime(2010, 12, 1, tzinfo=UTC), 3, version=9)
    assert [r.available for r in await subscriptions.apply([sold, opening(LAMP)])] == [3, 3]


async def test_opening_teaches_the_words_what_things_are_called(visitor: Client, log: Log) -> None:
    await log.since(TEMPLATES)
    for _ in range(2):
        await visitor("GET", "/shop/api/products")
    ((key, _),) = await log.read(1)
    assert key == words.NAME.encode()
    assert words.has_words(services_of(visitor).catalogue)


async def test_who_only_looks_gets_a_ticket_that_only_looks(visitor: Client, redis: Redis) -> None:
    found = await visitor("GET", "/shop/api/live-ticket")
    assert found.headers["cache-control"] == "no-store"
    assert await Tickets(redis).redeem(found.json["ticket"]) == "audience:shop"


async def test_a_code_opens_a_session_of_ones_own(visitor: Client, log: Log) -> None:
    await log.since(OTP)
    ada = await logged_in(visitor)
    ((_, value),) = await log.read(1)
    assert value is not None
    assert decode(OtpChallenge, value).user_id == ADA_ID
    me = (await ada("GET", "/shop/api/me")).json
    assert me == {"user_id": ADA_ID, "name": "Ada Archer", "admin": False, "waiting": []}
    assert (await ada("GET", f"/v1/users/{ADA_ID}")).json["phone"] == ADA["number"]
    assert (await ada("GET", "/v1/users/other")).status == 403
    assert (await ada("POST", "/v1/notifications", {})).status == 403
    assert (await visitor("GET", "/shop/api/me")).code == "unauthorized"


async def test_wrong_codes_and_too_many_of_them(visitor: Client) -> None:
    sent = (await ask_code(visitor)).json
    again = await ask_code(visitor)
    assert (again.status, again.code) == (429, "otp_cooldown")
    assert int(again.headers["retry-after"]) > 0
    right = await code_of(visitor, sent["challenge_id"])
    body = {"number": ADA["number"], "challenge_id": sent["challenge_id"]}
    wrong = body | {"code": f"{(int(right) + 1) % 10**6:06d}"}
    answers = [await visitor("POST", "/shop/api/login/verify", wrong) for _ in range(5)]
    assert [a.code for a in answers] == ["otp_wrong"] * 4 + ["otp_exhausted"]


async def test_a_code_opens_no_other_account(visitor: Client) -> None:
    await ask_code(visitor, number="+447700954321")
    sent = (await ask_code(visitor)).json
    body = {"number": "+447700954321", "challenge_id": sent["challenge_id"]}
    body["code"] = await code_of(visitor, sent["challenge_id"])
    other = await visitor("POST", "/shop/api/login/verify", body)
    assert (other.status, other.code) == (422, "otp_wrong")
    own = await visitor("POST", "/shop/api/login/verify", body | {"number": ADA["number"]})
    assert own.json["user_id"] == ADA_ID


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("login", ADA | {"number": "+447911123456"}, "#/number"),
        ("login", ADA | {"name": " "}, "#/name"),
        ("login", {"name": "Ada"}, "#/number"),
        ("login/verify", {"number": ADA["number"], "challenge_id": "x", "code": "12"}, "#/code"),
        ("counter/stock", {"sku": "unheard", "event_id": "a" * 32, "available": 1}, "#/sku"),
        ("counter/stock", {"sku": LAMP, "event_id": "a" * 32, "available": -1}, "#/available"),
        ("counter/stock", {"sku": LAMP, "available": 1}, "#/event_id"),
        ("counter/told", {"subscription_ids": []}, "#/subscription_ids"),
        ("counter/broadcasts", {"text": "x", "type": "OTP"}, "#/type"),
    ],
)
async def test_what_is_wrong_is_named(
    visitor: Client, path: str, body: dict[str, object], pointer: str
) -> None:
    answer = await visitor("POST", f"/shop/api/{path}", body)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, pointer)


async def test_nobody_elses_messages_are_shown(visitor: Client) -> None:
    own = await visitor("GET", "/shop/api/phones/+447700912345?after=0")
    assert (own.status, own.json["messages"]) == (200, [])
    assert (await visitor("GET", "/shop/api/phones/+12025550123")).status == 422
    assert (await visitor("GET", "/shop/api/phones/+447700912345?wait=99")).status == 422
    assert (await visitor("GET", "/shop/api/phone")).status == 401
    ada = await logged_in(visitor)
    page = (await ada("GET", "/shop/api/phone")).json
    assert page["messages"] == []
    assert page["last"] >= 0


async def test_places_in_the_queue_and_who_else_waits(visitor: Client) -> None:
    await stocked(visitor, **{LAMP: 0})
    ada = await logged_in(visitor)
    await services_of(visitor).people.change("bea", lambda _: _bea())
    bea = {"sku": LAMP, "user_id": "bea", "channels": ["sms"]}
    shop = visitor.with_token(_service(services_of(visitor).settings))
    first = await shop("POST", "/v1/subscriptions", bea)
    mine = await ada("POST", "/v1/subscriptions", {"sku": LAMP, "channels": ["push", "email"]})
    assert mine.status == 201
    (wait,) = (await ada("GET", "/shop/api/me")).json["waiting"]
    assert (wait["place"], wait["of"], wait["channels"]) == (2, 2, ["push", "email"])
    queue = (await visitor("GET", f"/shop/api/counter/queues/{LAMP}")).json["waiting"]
    assert [(w["who"], w["place"]) for w in queue] == [("b•••", 1), ("sh•••45", 2)]
    ids = [first.json["subscription_id"], mine.json["subscription_id"], "unheard"]
    told = (await visitor("POST", "/shop/api/counter/told", {"subscription_ids": ids})).json["told"]
    assert [t["channels"] for t in told] == [
        {"sms": "waiting"}, {"push": "waiting", "email": "waiting"},
    ]  # fmt: skip
    await ada("DELETE", f"/v1/subscriptions/{ids[1]}")
    assert (await ada("GET", "/shop/api/me")).json["waiting"] == []
    shelves = (await visitor("GET", "/shop/api/counter")).json["shelves"]
    assert shelves[0] == {"sku": LAMP, "available": 0, "waiting": 1}


async def test_an_order_is_bought_once_however_often_it_is_sent(visitor: Client, log: Log) -> None:
    ada = await logged_in(visitor)
    await stocked(visitor, **{LAMP: 3, HEART: 1})
    basket = {"lines": [{"sku": LAMP, "quantity": 2}, {"sku": HEART, "quantity": 1}]}
    assert (await ada("POST", "/shop/api/orders", basket)).code == "invalid"
    await log.since(INVENTORY)
    placed = await ada("POST", "/shop/api/orders", basket, idempotency_key="k1")
    assert (placed.status, placed.json["items"]) == (202, 3)
    changes = [decode(InventoryChange, value) for _, value in await log.read(2) if value]
    assert {c.sku: c.delta for c in changes} == {LAMP: -2, HEART: -1}
    await services_of(visitor).subscriptions.apply(changes)
    again = await ada("POST", "/shop/api/orders", basket, idempotency_key="k1")
    assert again.json == placed.json
    assert await log.nothing()
    more = await ada("POST", "/shop/api/orders", basket, idempotency_key="k2")
    assert (more.status, more.code) == (409, "sold_out")
    assert PRODUCTS[LAMP].name in more.json["detail"]


async def test_an_order_is_confirmed_to_the_buyer(visitor: Client, log: Log) -> None:
    ada = await logged_in(visitor)
    await stocked(visitor, **{LAMP: 3})
    await log.since(REQUESTS_BY_LANE[Lane.HIGH])
    basket = {"lines": [{"sku": LAMP, "quantity": 1}]}
    placed = (await ada("POST", "/shop/api/orders", basket, idempotency_key="k")).json
    ((key, value),) = await log.read(1)
    assert key == ADA_ID.encode()
    assert value is not None
    request = decode(NotificationRequest, value)
    assert (request.type, request.notification_id) == (
        "ORDER_CONFIRMATION", placed["notification_id"],
    )  # fmt: skip
    assert request.data["order"] == placed["order"]


async def test_the_shopkeeper_changes_the_stock(visitor: Client, log: Log) -> None:
    await log.since(INVENTORY)
    for body in ({"available": 24}, {"delta": -1}):
        event = {"sku": LAMP, "event_id": uuid4().hex}
        assert (await visitor("POST", "/shop/api/counter/stock", event | body)).status == 202
    found = [decode(InventoryChange, value) for _, value in await log.read(2) if value]
    assert [(c.available, c.delta) for c in found] == [(24, None), (None, -1)]
    assert found[0].version is None


async def test_everybody_may_be_an_admin_here(visitor: Client, log: Log) -> None:
    ada = await logged_in(visitor)
    assert (await visitor("PUT", "/shop/api/counter/admins")).status == 401
    assert (await ada("PUT", "/shop/api/counter/admins")).status == 204
    assert (await ada("GET", "/shop/api/me")).json["admin"] is True
    assert (await visitor("GET", "/shop/api/counter/admins")).json == {"present": []}
    await log.since(BROADCASTS)
    sent = await visitor("POST", "/shop/api/counter/broadcasts", {"text": "It came broken."})
    assert sent.status == 202
    ((_, value),) = await log.read(1)
    assert value is not None
    broadcast = decode(Broadcast, value)
    assert (broadcast.audience.admins, broadcast.type) == (True, "NEW_COMPLAINT")
    assert (await ada("DELETE", "/shop/api/counter/admins")).status == 204
    assert (await ada("GET", "/shop/api/me")).json["admin"] is False


async def test_without_the_sandbox_the_answer_says_so(
    settings: Settings, redis: Redis, producer: AIOKafkaProducer
) -> None:
    away = settings.model_copy(update={"sandbox_url": f"http://127.0.0.1:{free_port()}"})
    app = create_app(Services.over(away, redis, producer))
    try:
        answer = await Client(app)("POST", "/shop/api/login", ADA)
        assert (answer.status, answer.code) == (503, "unavailable")
        assert "sandbox" in answer.json["detail"]
    finally:
        await door.close(app)


def _bea() -> Profile:
    return Profile(user_id="bea", phone="+447700900001")


def _service(settings: Settings) -> str:
    scopes = frozenset({"subscriptions:write"})
    return mint(settings, subject="shop", kind="service", scopes=scopes, seconds=60)
