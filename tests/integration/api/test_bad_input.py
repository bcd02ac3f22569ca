"""Whatever is wrong with a request, the answer says so and the next request works."""

import asyncio
from collections.abc import Callable

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.types import Message

from api.services import Services
from tests.integration.api.conftest import Log
from tests.unit.api.asgi import Client, Pieces
from tocsin.records import InventoryChange, decode
from tocsin.settings import Settings
from tocsin.tokens import SCOPES, mint
from tocsin.topics import INVENTORY, MAX_RECORD_BYTES

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

CHANGE = {"event_id": "e1", "sku": "lamp", "occurred_at": "2026-11-22T10:00:00Z", "available": 3}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"user_id": "\xc3"}', b"[" * 5_000, b"NaN"]
)
async def test_what_is_not_json_of_ours_is_422(shop: Client, body: bytes) -> None:
    for path in ("/v1/users", "/v1/notifications", "/v1/inventory", "/v1/otp", "/v1/subscriptions"):
        answer = await shop("POST", path, body)
        assert (answer.status, answer.code) == (422, "invalid"), path
        assert answer.json["errors"][0]["pointer"].startswith("#")
        assert answer.json["instance"] == path


async def test_a_length_over_the_bound_is_refused_unread(shop: Client) -> None:
    pieces = Pieces([b"x" * 10])
    length = str(MAX_RECORD_BYTES + 1)
    answer = await shop("POST", "/v1/inventory", pieces=pieces, content_length=length)
    assert (answer.status, answer.code) == (413, "too_large")
    assert pieces.taken == 0


async def test_a_body_over_the_bound_is_refused_while_it_arrives(shop: Client) -> None:
    pieces = Pieces([b"x" * 300_000] * 100)
    answer = await shop("POST", "/v1/inventory", pieces=pieces)
    assert (answer.status, answer.code) == (413, "too_large")
    assert pieces.taken == 4


async def test_a_body_that_never_ends_is_let_go(
    shop: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging(Pieces):
        async def receive(self) -> Message:
            self.taken += 1
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr("api.call.BODY_SECONDS", 0.01)
    answer = await shop("POST", "/v1/inventory", pieces=Hanging([]))
    assert (answer.status, answer.code) == (408, "slow_body")


async def test_stock_is_kept_as_it_came(shop: Client, log: Log) -> None:
    await log.since(INVENTORY)
    answer = await shop("POST", "/v1/inventory", CHANGE)
    assert (answer.status, answer.json) == (202, {"event_id": "e1"})
    ((key, value),) = await log.read(1)
    assert key == b"lamp"
    assert value is not None
    assert decode(InventoryChange, value).available == 3


async def test_stock_by_the_batch_keeps_its_order(shop: Client, log: Log) -> None:
    await log.since(INVENTORY)
    changes = [CHANGE | {"event_id": f"e{i}", "available": i} for i in range(50)]
    answer = await shop("POST", "/v1/inventory:batch", {"changes": [*changes, {"sku": "x"}]})
    assert (answer.status, answer.json["done"], answer.json["refused"]) == (202, 50, 1)
    assert answer.json["results"][50]["errors"][0]["pointer"].startswith("#/changes/50")
    records = await log.read(50)
    assert [decode(InventoryChange, v or b"").available for _, v in records] == list(range(50))


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"available": -1}, "#/available"),
        ({"available": 2.5}, "#/available"),
        ({"delta": 1}, "#"),
        ({"occurred_at": "now"}, "#/occurred_at"),
        ({"event_id": ""}, "#/event_id"),
        ({"shelf": 1}, "#/shelf"),
    ],
)
async def test_wrong_stock_is_named(shop: Client, change: dict[str, object], pointer: str) -> None:
    answer = await shop("POST", "/v1/inventory", CHANGE | change)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, pointer)


async def test_a_cloud_event_is_taken_for_what_it_carries(shop: Client) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/erp", "type": "stock", "data": CHANGE}
    assert (await shop("POST", "/v1/inventory", event)).json == {"event_id": "e1"}


async def test_without_a_token_one_is_asked_who_one_is(shop: Client) -> None:
    for method, path in (("GET", "/v1/users/u"), ("POST", "/v1/otp"), ("GET", "/v1/ws-ticket")):
        answer = await shop.with_token(None)(method, path)
        assert (answer.status, answer.code) == (401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_wrong_token_is_told_what_is_wrong_with_it(
    shop: Client, settings: Settings
) -> None:
    expired = mint(settings, subject="s", kind="service", scopes=SCOPES, seconds=-60)
    for token, why in ((expired, "expired"), (expired[:-4] + "AAAA", "bad signature"), ("x", "")):
        answer = await shop.with_token(token)("GET", "/v1/users/u")
        assert answer.status == 401
        assert why in answer.json["detail"]
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_people_have_tickets_and_inboxes_and_services_have_none(
    shop: Client, token: Callable[..., str], services: Services
) -> None:
    await services.inbox.append([("ada", f"n{i}", b'{"title":"%d"}' % i) for i in range(3)])
    assert (await shop("GET", "/v1/inbox")).status == 403
    ada = shop.with_token(token("ada"))
    ticket = await ada("GET", "/v1/ws-ticket")
    assert ticket.json["url"] == "ws://127.0.0.1:8081"
    assert await services.tickets.redeem(ticket.json["ticket"]) == "user:ada"
    page = (await ada("GET", "/v1/inbox?limit=2")).json
    assert (len(page["items"]), page["unread"]) == (2, 3)
    assert page["items"][0]["notification"] == {"title": "2"}
    rest = (await ada("GET", f"/v1/inbox?limit=2&cursor={page['cursor']}")).json
    assert (len(rest["items"]), rest["cursor"]) == (1, None)
    assert (await ada("PATCH", "/v1/inbox/n1", {"read": True})).json["unread"] == 2
    assert (await ada("PATCH", "/v1/inbox/nx", {"read": True})).status == 404
    assert (await ada("POST", "/v1/inbox:read-all")).json["unread"] == 0
    assert (await ada("DELETE", "/v1/inbox/n1")).json == {"unread": 0, "deleted": ["n1"]}
    assert (await ada("DELETE", "/v1/inbox/n1")).status == 404
    deleted = await ada("POST", "/v1/inbox:delete", {"ids": ["n0", "nx"]})
    assert deleted.json == {"unread": 0, "deleted": ["n0"]}
    wrong = await ada("GET", "/v1/inbox?limit=0&status=some")
    assert (wrong.status, wrong.code) == (422, "invalid")
    assert "status" in wrong.json["errors"][0]["detail"]


async def test_the_live_feed_is_open_beside_the_sandbox_only(
    shop: Client, services: Services, token: Callable[..., str]
) -> None:
    stranger = shop.with_token(None)
    assert (await stranger("GET", "/v1/live-ticket")).status == 401
    assert (await shop.with_token(token("ada"))("GET", "/v1/live-ticket")).status == 403
    answer = await shop("GET", "/v1/live-ticket")
    assert await services.tickets.redeem(answer.json["ticket"]) == "audience:ops"
    assert answer.headers["cache-control"] == "no-store"


async def test_while_the_store_is_away_requests_are_refused_and_later_taken(
    shop: Client, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise RedisConnectionError("Error 111 connecting to 10.0.0.7:6379")

    with monkeypatch.context() as patched:
        patched.setattr(redis, "execute_command", away)
        for path, body in (
            ("/v1/notifications", {"user_id": "ada", "type": "X", "data": {"body": "Hello"}}),
            ("/v1/otp", {"user_id": "ada"}),
        ):
            answer = await shop("POST", path, body)
            assert (answer.status, answer.code) == (503, "unavailable")
            assert "10.0.0.7" not in answer.json["detail"]
        ready = await shop("GET", "/readyz")
        assert (ready.status, ready.json["engines"]) == (503, {"kafka": True, "redis": False})
        assert (await shop("GET", "/healthz")).status == 200
    assert (await shop("GET", "/readyz")).status == 200


async def test_requests_are_counted_by_route_not_by_address(shop: Client) -> None:
    await shop("GET", "/v1/users/somebody-in-particular")
    await shop("GET", "/wp-login.php")
    text = (await shop("GET", "/metrics")).body.decode()
    assert 'tocsin_http_requests_total{route="/v1/users/{user_id}",status="404"}' in text
    assert 'route="unknown",status="404"' in text
    assert "somebody-in-particular" not in text
    assert "wp-login" not in text
