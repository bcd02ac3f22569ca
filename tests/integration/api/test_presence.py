"""Presence over HTTP."""

from collections.abc import Callable

import pytest
from redis.asyncio import Redis

from tests.unit.api.asgi import Client
from tocsin.records import Profile
from tocsin.store import Profiles
from tocsin.store.registry import Registry

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]


@pytest.fixture
async def connected(redis: Redis) -> None:
    for name in ("ada", "bea", "cyd"):
        await Profiles(redis).put(Profile(name, topics=("admins",), version=1))
    for shard, users in (("a", ["ada", "cyd", "zoe"]), ("b", ["ada"])):
        registry = Registry(redis, shard)
        await registry.reset()
        await registry.join(users)


@pytest.mark.usefixtures("connected")
async def test_which_admins_are_connected(shop: Client) -> None:
    found = await shop("GET", "/v1/presence?audience=admins")
    assert found.json == {
        "audience": "admins", "members": [{"user_id": "ada"}, {"user_id": "cyd"}], "cursor": None,
        "connected": 3, "exact": True,
    }  # fmt: skip
    first = (await shop("GET", "/v1/presence?audience=admins&limit=1")).json
    assert (first["members"], first["cursor"]) == ([{"user_id": "ada"}], "ada")
    rest = (await shop("GET", "/v1/presence?audience=admins&limit=1&cursor=ada")).json
    assert (rest["members"], rest["cursor"]) == ([{"user_id": "cyd"}], None)


@pytest.mark.usefixtures("connected")
async def test_it_is_for_services_that_may_read_figures(
    shop: Client, token: Callable[..., str]
) -> None:
    for caller in (token("ada"), token("shop", "users:read")):
        refused = await shop.with_token(caller)("GET", "/v1/presence?audience=admins")
        assert (refused.status, refused.code) == (403, "forbidden")
    reader = shop.with_token(token("console", "stats:read"))
    assert (await reader("GET", "/v1/presence?audience=admins")).status == 200


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "audience"),
        ("?audience=everybody", "audience"),
        ("?audience=admins&limit=0", "limit"),
        ("?audience=admins&limit=201", "limit"),
        (f"?audience=admins&cursor={'x' * 129}", "cursor"),
    ],
)
async def test_what_is_wrong_is_named(shop: Client, query: str, name: str) -> None:
    refused = await shop("GET", f"/v1/presence{query}")
    assert refused.status == 422
    assert f"`{name}`" in refused.json["errors"][0]["detail"]


async def test_nobody_is_a_page_too(shop: Client) -> None:
    found = (await shop("GET", "/v1/presence?audience=admins")).json
    assert (found["members"], found["cursor"], found["connected"]) == ([], None, 0)
