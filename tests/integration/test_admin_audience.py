"""The shop's own people: who of them is connected, and what a broadcast to them reaches."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from redis.asyncio import Redis

from tests.integration import broadcasting, shard_clients
from tests.integration.living import Life
from tests.integration.shard_clients import Client
from tocsin.kafka import start_producer
from tocsin.records import Audience, Channel, Profile
from tocsin.settings import Settings
from tocsin.store import Profiles, keys, present
from tocsin.store.inbox import Inbox
from tocsin.store.present import Count, Members, Present
from tocsin.store.registry import Registry
from tocsin.topics import BY_CHANNEL

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

TYPES = ("NEW_COMPLAINT", "REVIEW", "COMPLAINT_RESPONSE")
ADMINS = ("ada", "bea", "cyd")


async def shard(redis: Redis, name: str, *users: str) -> None:
    registry = Registry(redis, name)
    await registry.reset()
    await registry.join(users)


@pytest.fixture
async def admins(redis: Redis) -> tuple[str, ...]:
    """Three admins, and somebody who is none."""
    for user in ADMINS:
        await Profiles(redis).put(Profile(user, topics=("admins",), version=1))
    await Profiles(redis).put(Profile("dan", version=1))
    return ADMINS


async def test_who_is_connected_has_a_socket_on_a_shard_that_lives(redis: Redis) -> None:
    here = Present(redis)
    assert await here.connected(["ada"]) == []
    assert await here.count() == Count(0, True)
    await shard(redis, "a", "ada", "dan")
    await shard(redis, "b", "ada", "bea")
    await shard(redis, "dead", "cyd")
    await redis.zadd(keys.SHARDS, {"dead": 1})
    assert await here.connected(["cyd", "bea", "ada", "eve"]) == ["bea", "ada"]
    assert await here.connected([]) == []
    assert await here.count() == Count(3, True)


async def test_beyond_a_bound_people_are_counted_by_shard(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present, "COUNTED", 2)
    await shard(redis, "a", "ada", "dan", "eve")
    assert await Present(redis).count() == Count(3, True)
    await shard(redis, "b", "ada")
    assert await Present(redis).count() == Count(4, False)


@pytest.mark.parametrize("chunk", [1, 2, 3, 50])
async def test_pages_are_all_connected_admins_once(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(present, "_CHUNK", chunk)
    everybody = [f"u{n:02}" for n in range(20)]
    for user in everybody:
        await Profiles(redis).put(Profile(user, topics=("admins",), version=1))
    connected = [user for n, user in enumerate(everybody) if n % 3]
    await shard(redis, "a", *connected[::2], "somebody")
    await shard(redis, "b", *connected[1::2], connected[0])
    for most in (1, 4, len(connected), 100):
        found: list[str] = []
        page = Members((), "")
        while page.cursor is not None:
            page = await Present(redis).followers("admins", page.cursor, most)
            assert len(page.user_ids) <= most
            found += page.user_ids
        assert found == connected


class House(NamedTuple):
    """The agents of a broadcast, the router, and shards with people on them."""

    fan_out: broadcasting.Shop
    life: Life
    sockets: shard_clients.Shop
    clients: dict[str, list[Client]]

    async def broadcast(self, audience: Audience, kind: str) -> list[str]:
        """From its record to the sockets; whom the fan-out told."""
        sent = broadcasting.broadcast(
            audience, type=kind, channels=(Channel.INAPP,), accepted_at=datetime.now(UTC),
            data={"body": f"about a {kind}", "complaint": "7"},
        )  # fmt: skip
        before = len(self.fan_out.wire.requests)
        await self.fan_out.run(self.fan_out.record(sent))
        requests = self.fan_out.wire.requests[before:]
        if requests:
            await self.life.routed(*requests)
        mine = {request.notification_id for request in requests}
        topics = [topic for (channel, _), topic in BY_CHANNEL.items() if channel == Channel.INAPP]
        found = [d for topic in topics for d in self.life.tape.deliveries(topic)]
        results = await self.sockets.deliver(*[d for d in found if d.notification_id in mine])
        assert all(result.state == "delivered" for result in results)
        return self.fan_out.told(sent)

    async def inbox(self, user: str, **of: Any) -> list[bytes]:
        page = await Inbox(self.sockets.redis).page(user, **of)
        return [entry.item for entry in page.entries]


@pytest.fixture
async def house(settings: Settings, redis: Redis, admins: tuple[str, ...]) -> AsyncIterator[House]:
    """Ada has two devices on two shards, Bea one, Cyd none; Dan, who is no admin, has one."""
    producer = await start_producer(settings)
    sockets = shard_clients.Shop(settings, redis)
    fan_out = broadcasting.Shop(settings, redis, broadcasting.Wire(producer))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(producer.stop)
        stack.push_async_callback(sockets.close)
        await sockets.shard("b")
        clients: dict[str, list[Client]] = {}
        for user, where in (("ada", "a"), ("ada", "b"), ("bea", "b"), ("dan", "a")):
            client, _ = await stack.enter_async_context(sockets.client(user, where))
            clients.setdefault(user, []).append(client)
        yield House(fan_out, Life(settings, redis, producer), sockets, clients)


async def test_a_broadcast_to_the_admins_is_on_every_socket_and_in_the_others_inbox(
    house: House,
) -> None:
    for number, kind in enumerate(TYPES, start=1):
        assert await house.broadcast(Audience(admins=True), kind) == [*ADMINS]
        for user in ("ada", "bea"):
            for client in house.clients[user]:
                heard = await client.hear()
                assert (heard["op"], heard["type"], heard["offset"]) == (
                    "notification", kind, number,
                )  # fmt: skip
        assert len(await house.inbox("cyd")) == number
    await house.clients["dan"][0].quiet()
    assert await house.inbox("dan") == []
    for kind in TYPES:
        (complaint,) = await house.inbox("cyd", types=(kind,))
        assert kind.encode() in complaint


async def test_one_to_the_connected_admins_leaves_the_others_out(house: House) -> None:
    for kind in TYPES:
        told = await house.broadcast(Audience(admins=True, connected=True), kind)
        assert told == ["ada", "bea"]
        for user in told:
            for client in house.clients[user]:
                assert (await client.hear())["type"] == kind
    assert await house.inbox("cyd") == []
    await house.clients["dan"][0].quiet()


async def test_a_segment_may_be_narrowed_to_the_connected_too(house: House) -> None:
    everybody = Audience(segment=(), connected=True)
    assert await house.broadcast(everybody, "SALE_OFFER") == ["ada", "bea", "dan"]


async def test_nobody_connected_is_nobody_told(house: House, redis: Redis) -> None:
    for name in "ab":
        await redis.zadd(keys.SHARDS, {name: 1})
    assert await house.broadcast(Audience(admins=True, connected=True), "REVIEW") == []
