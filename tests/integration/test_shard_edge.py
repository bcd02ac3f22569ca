"""A shard's edge on a real store: who gets in, how many at once, live stock, and its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import RedisError
from websockets.exceptions import InvalidStatus

from actors.sockets import listener
from actors.sockets import socket as sockets
from tests.integration.resuming_client import Resuming, all_shown, until
from tests.integration.shard_clients import SECONDS, Client, Shop, delivery
from tocsin.metrics import ACCEPTS_REFUSED
from tocsin.records import InventoryChange, Profile
from tocsin.settings import Settings
from tocsin.store import Subscriptions

pytestmark = pytest.mark.integration


@pytest.fixture
async def shop(store_settings: Settings, redis: Redis) -> AsyncIterator[Shop]:
    shop = Shop(store_settings, redis)
    await shop.people(Profile("u1"))
    yield shop
    await shop.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    """The status line and headers of one request."""
    async with asyncio.timeout(SECONDS):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return head


async def test_pages_named_in_the_settings_may_connect_to_a_public_shop(shop: Shop) -> None:
    shop.settings = shop.settings.model_copy(
        update={"public_url": "https://shop.example", "origins": "https://Blog.example:443/"}
    )
    for origin in ("https://shop.example", "https://blog.example"):
        async with shop.client(origin=origin) as (client, _):
            await client.quiet()
    for origin in ("http://localhost:3000", "https://evil.example"):
        with pytest.raises(InvalidStatus) as caught:
            async with shop.open(origin=origin):
                pass
        assert caught.value.response.status_code == 403


async def test_a_storm_is_sent_away_before_any_work_and_the_rest_goes_on(shop: Shop) -> None:
    # one at once, and the next after a quarter of an hour
    shop.settings = shop.settings.model_copy(update={"shard_accepts": 0.001})
    port = await (await shop.shard()).start()
    before = ACCEPTS_REFUSED.labels("a")._value.get()
    async with shop.client() as (client, _):
        for _ in range(3):
            with pytest.raises(InvalidStatus) as caught:
                async with shop.open():
                    pass
            answer = caught.value.response
            assert answer.status_code == 503
            assert 1 <= int(answer.headers["Retry-After"]) <= 5
        assert ACCEPTS_REFUSED.labels("a")._value.get() == before + 3
        for _ in range(3):  # a load balancer's questions count for nothing
            head = await ask(*await asyncio.open_connection("127.0.0.1", port), "/healthz")
            assert head.startswith(b"HTTP/1.1 200 ")
        await shop.deliver(delivery(1))
        assert await client.notifications(1) == [1]


async def test_a_handshake_that_does_not_end_is_ended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "OPEN_SECONDS", 0.1)
    port = await (await shop.shard()).start()
    for begun in (b"", b"GET / HTTP/1.1\r\nHost: x\r\nUpg"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        async with asyncio.timeout(SECONDS):
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()


def change(sku: str, number: int, available: int) -> InventoryChange:
    at = datetime.fromtimestamp(1_790_000_000 + number, UTC)
    return InventoryChange(event_id=f"{sku}-{number}", sku=sku, occurred_at=at, available=available)


async def stock(client: Client, count: int) -> dict[str, int]:
    """The next `count` frames, which must be of stock."""
    frames = [await client.hear() for _ in range(count)]
    assert all(frame["op"] == "stock" for frame in frames), frames
    return {frame["sku"]: frame["available"] for frame in frames}


async def test_who_watches_is_told_what_is_left_and_every_change_on_every_shard(
    shop: Shop, redis: Redis
) -> None:
    await shop.shard("b")
    subscriptions = Subscriptions(redis)
    await subscriptions.apply([change("A", 1, 3), change("B", 1, 0)])
    async with shop.client() as (one, _), shop.client(shard="b") as (two, _):
        await one.say(op="watch", skus=["A", "B", "never-heard-of"])
        assert await stock(one, 2) == {"A": 3, "B": 0}
        await two.say(op="watch", skus=["A"])
        assert await stock(two, 1) == {"A": 3}
        await subscriptions.apply([change("A", 2, 2), change("C", 1, 9)])
        await subscriptions.announce({"A": 2, "C": 9})
        assert await stock(one, 1) == await stock(two, 1) == {"A": 2}
        await one.say(op="watch", skus=["C"])
        assert await stock(one, 1) == {"C": 9}
        await subscriptions.apply([change("A", 3, 1)])
        await subscriptions.announce({"A": 1})
        assert await stock(two, 1) == {"A": 1}
        for client in (one, two):
            await client.quiet()


async def test_what_changed_while_the_subscription_was_interrupted_is_told(
    shop: Shop, redis: Redis
) -> None:
    subscriptions = Subscriptions(redis)
    await subscriptions.apply([change("A", 1, 3), change("B", 1, 5)])
    async with shop.client() as (client, _):
        await client.say(op="watch", skus=["A", "B"])
        assert await stock(client, 2) == {"A": 3, "B": 5}
        await subscriptions.apply([change("A", 2, 0)])  # and nobody says so
        await client.quiet()
        await redis.client_kill_filter(_type="pubsub")
        assert await stock(client, 1) == {"A": 0}
        await subscriptions.apply([change("B", 2, 4)])
        await until(lambda: _heard(subscriptions, {"B": 4}))
        assert await stock(client, 1) == {"B": 4}
        await client.quiet()


async def _heard(subscriptions: Subscriptions, told: dict[str, int]) -> bool:
    try:
        await subscriptions.announce(told)
    except RedisError:
        return False
    return True


async def test_a_silent_subscription_is_tried_and_lasts_while_it_answers(
    shop: Shop, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.sockets.upkeep.QUIET_SECONDS", 1)
    subscriptions = Subscriptions(redis)
    await subscriptions.apply([change("A", 1, 3)])
    async with shop.client() as (client, _):
        await client.say(op="watch", skus=["A"])
        assert await stock(client, 1) == {"A": 3}
        before = {each["id"] for each in await _subscribers(redis)}
        await until(lambda: _tried(redis))
        await subscriptions.apply([change("A", 2, 2)])
        await subscriptions.announce({"A": 2})
        assert await stock(client, 1) == {"A": 2}
        assert {each["id"] for each in await _subscribers(redis)} == before


async def _subscribers(redis: Redis) -> list[dict[str, str]]:
    return list(await redis.client_list(_type="pubsub"))


async def _tried(redis: Redis) -> bool:
    return all(each["cmd"] == "ping" for each in await _subscribers(redis))


async def test_a_shard_that_drains_is_not_ready_and_its_sockets_lose_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CLOSE_SECONDS", 60)  # however busy this machine is
    people, rounds = [f"p{n}" for n in range(20)], 60
    await shop.people(*(Profile(name) for name in people))
    ports = {name: await (await shop.shard(name)).start() for name in ("a", "b")}
    at = {name: ports["ab"[n % 2]] for n, name in enumerate(people)}
    clients = [Resuming(name, shop.tickets, lambda name=name: at[name]) for name in people * 2]  # type: ignore[misc]
    running = [asyncio.create_task(client.run()) for client in clients]
    early = await asyncio.open_connection("127.0.0.1", ports["a"])
    try:
        await until(lambda: all(client.ready for client in clients))
        half = asyncio.Event()
        load = asyncio.create_task(_load(shop, people, rounds, half))
        await half.wait()
        for name in people:
            at[name] = ports["b"]
        drained = asyncio.create_task(shop.shards["a"].drain(1.0))
        await until(lambda: not shop.shards["a"].load()[1])
        assert (await ask(*early, "/healthz")).startswith(b"HTTP/1.1 503 ")
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", ports["a"])
        await drained
        await load
        rounds = await all_shown(clients, lambda number: _round(shop, people, number), rounds + 1)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    for number, client in enumerate(clients):
        assert client.heard == [(n, f"{client.user}-{n}") for n in range(1, rounds + 1)]
        assert client.broken == []
        assert client.closes[:1] == ([1012] if number % 2 == 0 else [])


async def _load(shop: Shop, people: list[str], rounds: int, half: asyncio.Event) -> None:
    for number in range(1, rounds + 1):
        await _round(shop, people, number)
        if number == rounds // 4:
            half.set()
        await asyncio.sleep(0.02)


async def _round(shop: Shop, people: list[str], number: int) -> None:
    """A notification for each person, by both shards as two partitions would."""
    batches = {
        via: [
            replace(delivery(number, name), notification_id=f"{name}-{number}")
            for name in people[start::2]
        ]
        for start, via in enumerate("ab")
    }
    await asyncio.gather(*(shop.deliver(*batch, via=via) for via, batch in batches.items()))
