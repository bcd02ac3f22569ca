"""The inbox over HTTP."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from api.services import Services
from tests.unit.api.asgi import Client
from tocsin.store import keys

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

TYPES = ("NEW_COMPLAINT", "REVIEW", "COMPLAINT_RESPONSE")


def item(number: int, kind: str) -> tuple[str, bytes]:
    name = f"n{number}"
    return name, json.dumps({"notification_id": name, "type": kind}, separators=(",", ":")).encode()


@pytest.fixture
async def ada(shop: Client, token: Callable[..., str], services: Services) -> Client:
    """A person with six notifications of three types, and another with ids like hers."""
    for whose in ("ada", "bea"):
        await services.inbox.append([(whose, *item(n, TYPES[n % 3])) for n in range(6)])
    return shop.with_token(token("ada"))


async def shown(client: Client, query: str = "") -> list[str]:
    page = (await client("GET", f"/v1/inbox{query}")).json
    return [each["notification"]["notification_id"] for each in page["items"]]


async def test_one_is_read_and_unread_again(ada: Client) -> None:
    read = await ada("PATCH", "/v1/inbox/n1", {"read": True})
    assert read.json == {"unread": 5, "read": ["n1"], "unread_again": []}
    assert (await ada("PATCH", "/v1/inbox/n1", {"read": True})).json["read"] == []
    again = await ada("PATCH", "/v1/inbox/n1", {"read": False})
    assert again.json == {"unread": 6, "read": [], "unread_again": ["n1"]}
    assert (await ada("PATCH", "/v1/inbox/n1", {"read": False})).json["unread_again"] == []
    assert (await ada("PATCH", "/v1/inbox/nx", {"read": False})).code == "not_found"


async def test_many_at_once(ada: Client) -> None:
    read = await ada("POST", "/v1/inbox:read", {"ids": ["n1", "n2", "nx"]})
    assert read.json == {"unread": 4, "read": ["n1", "n2"], "unread_again": []}
    unread = await ada("POST", "/v1/inbox:unread", {"ids": ["n0", "n2", "nx"]})
    assert unread.json == {"unread": 5, "read": [], "unread_again": ["n2"]}
    deleted = await ada("POST", "/v1/inbox:delete", {"ids": ["n1", "n2", "nx"]})
    assert deleted.json == {"unread": 4, "deleted": ["n1", "n2"]}
    assert (await ada("POST", "/v1/inbox:unread", {"ids": ["n1"]})).json["unread_again"] == []
    everything = await ada("POST", "/v1/inbox:read-all")
    assert everything.json == {"unread": 0, "read": ["n0", "n3", "n4", "n5"], "unread_again": []}
    assert await shown(ada) == ["n5", "n4", "n3", "n0"]


async def test_nobody_elses_is_touched(
    ada: Client, token: Callable[..., str], services: Services
) -> None:
    await services.inbox.append([("bea", *item(9, "REVIEW"))])
    for path in ("read", "unread", "delete"):
        assert (await ada("POST", f"/v1/inbox:{path}", {"ids": ["n9"]})).json["unread"] == 6
    assert (await ada("PATCH", "/v1/inbox/n9", {"read": True})).status == 404
    assert (await ada("DELETE", "/v1/inbox/n9")).status == 404
    await ada("POST", "/v1/inbox:delete", {"ids": [f"n{n}" for n in range(6)]})
    bea = ada.with_token(token("bea"))
    assert (await bea("GET", "/v1/inbox")).json["unread"] == 7


async def test_a_list_of_some_types(ada: Client) -> None:
    assert await shown(ada, "?type=REVIEW") == ["n4", "n1"]
    assert await shown(ada, "?type=REVIEW,NEW_COMPLAINT") == ["n4", "n3", "n1", "n0"]
    assert await shown(ada, "?type=SALE_OFFER") == []
    first = (await ada("GET", "/v1/inbox?type=REVIEW&limit=1")).json
    assert (first["unread"], first["cursor"]) == (6, 5)
    assert await shown(ada, f"?type=REVIEW&limit=1&cursor={first['cursor']}") == ["n1"]
    await ada("POST", "/v1/inbox:read", {"ids": ["n4", "n3"]})
    assert await shown(ada, "?type=REVIEW&status=unread") == ["n1"]
    assert await shown(ada, "?type=REVIEW&status=read") == ["n4"]


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("PATCH", "/v1/inbox/n1", {}, "#/read"),
        ("PATCH", "/v1/inbox/n1", {"read": "yes"}, "#/read"),
        ("PATCH", "/v1/inbox/n1", {"read": True, "seen": 1}, "#/seen"),
        ("POST", "/v1/inbox:read", {}, "#/ids"),
        ("POST", "/v1/inbox:read", {"ids": []}, "#/ids"),
        ("POST", "/v1/inbox:unread", {"ids": ["n1", 7]}, "#/ids/1"),
        ("POST", "/v1/inbox:delete", {"ids": ["n1"] * 1_001}, "#/ids"),
    ],
)
async def test_what_is_wrong_is_named(
    ada: Client, method: str, path: str, body: Any, pointer: str
) -> None:
    refused = await ada(method, path, body)
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, pointer)
    assert (await ada("GET", "/v1/inbox")).json["unread"] == 6


@pytest.mark.parametrize("given", ["review", "REVIEW,", "REVIEW,*", "", "A" * 65])
async def test_a_wrong_type_is_named(ada: Client, given: str) -> None:
    refused = await ada("GET", f"/v1/inbox?type={given}")
    assert refused.status == 422
    assert "`type`" in refused.json["errors"][0]["detail"]


async def test_every_change_reaches_the_persons_devices(ada: Client, redis: Redis) -> None:
    async with redis.pubsub() as heard:
        await heard.subscribe(keys.INBOX_CHANGED)
        await heard.get_message(timeout=20)
        await ada("PATCH", "/v1/inbox/n1", {"read": True})
        await ada("POST", "/v1/inbox:unread", {"ids": ["n1", "n2"]})
        await ada("DELETE", "/v1/inbox/n2")
        told = [(await heard.get_message(timeout=20))["data"] for _ in range(3)]
    assert [json.loads(data) for data in told] == [
        {"op": "read", "user_id": "ada", "ids": ["n1"], "unread": 5},
        {"op": "unread", "user_id": "ada", "ids": ["n1"], "unread": 6},
        {"op": "deleted", "user_id": "ada", "ids": ["n2"], "unread": 5},
    ]


async def test_the_seed_endpoint_lists_some_types_too(ada: Client) -> None:
    found = (await ada("GET", "/notifications/ada?type=REVIEW")).json
    assert [each["notificationId"] for each in found["items"]] == ["n4", "n1"]
