"""A shard with a real store and real sockets: deliveries, other shards, slow clients, the end."""

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from websockets.exceptions import InvalidHandshake

from actors.shard import ConnectionShard
from actors.sockets import peers
from actors.sockets import socket as sockets
from tests.integration.conftest import free_port, wait_until
from tests.integration.shard_clients import NOW, Shop, delivery, outcomes, until
from tocsin.engines import valkey
from tocsin.errors import ConfigError, EngineUnavailable, StoreEmptied
from tocsin.records import Preferences, Priority, Profile
from tocsin.settings import Settings
from tocsin.store import Cancellations, connect, keys
from tocsin.store.inbox import Inbox

pytestmark = pytest.mark.integration

DAY = timedelta(days=1)


@pytest.fixture
async def shop(store_settings: Settings, redis: Redis) -> AsyncIterator[Shop]:
    shop = Shop(store_settings, redis)
    out = Profile("out", preferences=Preferences(opted_out=True))
    await shop.people(Profile("u1"), Profile("u2"), out)
    yield shop
    await shop.close()


async def test_each_delivery_gets_its_answer_in_order(shop: Shop, redis: Redis) -> None:
    past = delivery(0).accepted_at - 3650 * DAY
    async with shop.client() as (client, _):
        results = await shop.deliver(
            delivery(1),
            delivery(2, "u2"),
            delivery(3, "stranger"),
            delivery(4, "out"),
            delivery(5, "out", priority=Priority.CRITICAL, category="security"),
            delivery(6, expires_at=past),
            delivery(7, data={"boom": 1}),
            delivery(8, expires_at=delivery(0).accepted_at + 36500 * DAY),
        )
        assert await client.notifications(2) == [1, 2]
    assert [r.delivery_id for r in results] == [f"n{n}:inapp" for n in range(1, 9)]
    assert outcomes(results) == [
        ("delivered", "socket"),
        ("delivered", "inbox"),
        ("suppressed", "unknown_user"),
        ("suppressed", "opted_out"),
        ("delivered", "inbox"),
        ("expired", "expired"),
        ("failed", "missing variable: boom"),
        ("delivered", "socket"),
    ]
    told = [bool(r.content_hash and r.data_hash) for r in results]
    assert told == [r.state == "delivered" for r in results]
    assert {r.destination for r in results} == {""}
    assert (await Inbox(redis).page("u2")).unread == 1
    assert await redis.exists(keys.inbox("stranger")) == 0
    assert await shop.deliver() == []


async def test_a_template_that_breaks_in_an_unknown_way_stops_nobody(shop: Shop) -> None:
    shard = await shop.shard()
    await shard.stop()
    shop.shards["a"] = ConnectionShard(shop.settings, "a", render=lambda d, p: 1 // 0)  # type: ignore[arg-type, return-value]
    assert outcomes(await shop.deliver(delivery(1))) == [("failed", "render_error")]


async def test_a_batch_done_again_shows_nothing_twice(shop: Shop) -> None:
    batch = [delivery(n) for n in (1, 2, 3)]
    async with shop.client() as (client, _):
        first = await shop.deliver(*batch)
        assert await shop.deliver(*batch) == first
        assert await client.notifications(3) == [1, 2, 3]
        await client.quiet()


async def test_batches_at_once_arrive_in_order_without_holes(shop: Shop) -> None:
    async with shop.client() as (client, _):
        numbers = range(1, 151)
        await asyncio.gather(*(shop.deliver(delivery(n)) for n in numbers))
        assert await client.notifications(150) == list(numbers)
        await client.quiet()


async def test_whatever_is_delivered_while_people_connect_is_shown(shop: Shop) -> None:
    await shop.shard("b")
    async with shop.client() as (_, ready):
        pass

    async def connected(shard: str) -> list[int]:
        resume = {"epoch": ready["epoch"], "offset": 0}
        async with shop.client(shard=shard, resume=resume) as (client, _):
            return await client.notifications(100)

    async def delivered() -> None:
        for n in range(1, 101):
            await shop.deliver(delivery(n))

    *seen, _ = await asyncio.gather(*(connected("ab"[i % 2]) for i in range(10)), delivered())
    assert seen == [list(range(1, 101))] * 10


async def test_sockets_on_other_shards_are_reached(shop: Shop) -> None:
    await shop.shard("b")
    async with shop.client(shard="a") as (one, _), shop.client(shard="b") as (two, _):
        results = await shop.deliver(delivery(1), delivery(2, "u2"))
        assert outcomes(results) == [("delivered", "socket"), ("delivered", "inbox")]
        assert await one.notifications(1) == await two.notifications(1) == [1]
    async with shop.client(shard="b") as (two, _):
        assert outcomes(await shop.deliver(delivery(3))) == [("delivered", "socket")]
        assert await two.notifications(1) == [2]


async def test_a_shard_out_of_reach_costs_a_delay_not_a_notification(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "REST_SECONDS", 0)
    await shop.shard("b")
    async with shop.client(shard="b") as (client, _):
        shop.cut_off = {"b"}
        assert outcomes(await shop.deliver(delivery(1))) == [("delivered", "inbox")]
        await client.quiet()
        shop.cut_off = set()
        await shop.deliver(delivery(2))
        assert await client.notifications(2) == [1, 2]


async def test_leaving_is_told_to_the_other_shards(shop: Shop, redis: Redis) -> None:
    async with shop.client():
        assert await redis.smembers(keys.shard_users("a")) == {b"u1"}
    await until(lambda: _empty(redis, keys.shard_users("a")))


async def _empty(redis: Redis, name: str) -> bool:
    return not await redis.exists(name)


async def test_a_client_that_does_not_read_is_closed_and_harms_nobody(shop: Shop) -> None:
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", await (await shop.shard()).start()))
    big = {"body": "x" * 4_000}
    async with shop.client("u1", sock=narrow, max_queue=1) as (slow, _), shop.client() as (fast, _):
        for start in range(1, 6_001, 200):
            batch = [delivery(n, data=big) for n in range(start, start + 200)]
            results = await shop.deliver(*batch)
            assert await fast.notifications(200) == list(range(start, start + 200))
            assert {provider for _, provider in outcomes(results)} == {"socket"}
        assert await slow.close_code() == 4413


async def test_a_client_that_stopped_reading_is_closed_in_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "STALL_SECONDS", 0.05)
    monkeypatch.setattr(sockets, "CLOSE_SECONDS", 0.05)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", await (await shop.shard()).start()))
    async with shop.open(sock=narrow, max_queue=1) as client:
        await client.say(op="hello", ticket=await shop.tickets.issue("audience:ops"))
        await client.hear()
        shard = await shop.shard()
        frame = json.dumps({"op": "live", "x": "x" * 2_000_000}).encode()
        while await shard.broadcast("ops", frame):
            pass
        await until(lambda: _nobody(shard))


async def _nobody(shard: ConnectionShard) -> bool:
    running = shard._running
    assert running is not None
    return not running.hub.audiences


async def test_draining_closes_everybody_and_deliveries_go_on(shop: Shop, redis: Redis) -> None:
    shard = await shop.shard()
    port = await shard.start()
    async with shop.client() as (one, _), shop.client("u2") as (two, _), shop.open() as silent:
        await shard.drain(0.2)
        assert [await c.close_code() for c in (one, two, silent)] == [1012] * 3
    with pytest.raises((InvalidHandshake, OSError)):
        async with shop.open():
            pass
    assert await shard.start() == port
    assert outcomes(await shop.deliver(delivery(1))) == [("delivered", "inbox")]
    await shard.stop()
    assert await redis.exists(keys.SHARDS, keys.shard_users("a")) == 0


async def test_starting_is_idempotent_and_possible_after_a_stop(shop: Shop) -> None:
    shard = await shop.shard()
    assert len(set(await asyncio.gather(*(shard.start() for _ in range(5))))) == 1
    await shard.stop()
    await shard.stop()
    with pytest.raises(EngineUnavailable, match="stopping"):
        await shard.broadcast("ops", b"{}")
    async with shop.client() as (client, _):
        await shop.deliver(delivery(1))
        assert await client.notifications(1) == [1]


async def test_two_shards_share_a_port(shop: Shop) -> None:
    shop.settings = shop.settings.model_copy(update={"ws_port": free_port()})
    ports = {await (await shop.shard(name)).start() for name in "ab"}
    assert ports == {shop.settings.ws_port}


async def test_a_busy_port_is_named(shop: Shop, redis: Redis) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        shop.settings = shop.settings.model_copy(update={"ws_port": port})
        with pytest.raises(ConfigError, match=f"TOCSIN_WS_PORT: 127.0.0.1:{port} is taken"):
            await shop.shard()
    assert await (await shop.shard()).start() == port


async def test_the_store_may_die_and_come_back(store_settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    folder = tmp_path / "valkey"
    folder.mkdir()
    url = f"redis://127.0.0.1:{port}/0"
    settings = Settings(redis_url=url, jwt_secret=store_settings.jwt_secret)
    with pytest.raises(EngineUnavailable):
        await ConnectionShard(settings, "a").start()
    first = _valkey(port, folder)
    redis = await connect(settings)
    shop = Shop(settings, redis)
    try:
        await shop.people(Profile("u1"))
        await redis.set(keys.STORE_READY, "new")
        async with shop.client() as (client, ready):
            token = await shop.tickets.issue("user:u1")
            # on a busy disk the file may be some seconds behind, and we do not test that here
            await redis.waitaof(1, 0, 30_000)
            first.kill()
            first.wait()
            async with shop.open() as late:
                await late.say(op="hello", ticket=token)
                assert await late.close_code() == 1013
            await client.quiet()
            first = _valkey(port, folder)
            await redis.connection_pool.disconnect()
            await until(lambda: _delivered(shop))
            heard = await client.hear()
            assert heard["op"] == "notification" or heard["recovered"] is False
        resume = {"epoch": ready["epoch"], "offset": 0}
        async with shop.client(resume=resume) as (client, ready):
            assert ready["unread"] == 1
    finally:
        await shop.close()
        await redis.aclose()
        first.terminate()
        first.wait()


async def test_an_emptied_store_makes_nobody_unknown(
    store_settings: Settings, redis: Redis
) -> None:
    shop = Shop(store_settings, redis)
    try:
        await redis.flushall()
        with pytest.raises(StoreEmptied):
            await shop.deliver(delivery(1))
        assert await redis.keys("inbox:*") == []
        await shop.people(Profile("u1"))
        with pytest.raises(StoreEmptied):  # what was taken back is not known yet
            await shop.deliver(delivery(1))
        await redis.set(keys.STORE_READY, "rebuilt")
        assert outcomes(await shop.deliver(delivery(1)))[0][0] == "delivered"
    finally:
        await shop.close()


async def _delivered(shop: Shop) -> bool:
    try:
        return outcomes(await shop.deliver(delivery(1)))[0][0] == "delivered"
    except RedisError:
        return False


def _valkey(port: int, folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(valkey.command(port, folder), stdout=subprocess.DEVNULL)
    wait_until(lambda: valkey.answers(port))
    return process


async def test_what_was_taken_back_reaches_neither_inbox_nor_socket(
    shop: Shop, redis: Redis
) -> None:
    await Cancellations(redis).cancel("n1")
    async with shop.client() as (client, _):
        for _ in range(2):
            results = await shop.deliver(delivery(1), delivery(2))
            assert outcomes(results) == [("cancelled", "cancelled"), ("delivered", "socket")]
        assert await client.notifications(1) == [1]
        await client.quiet()
    assert (await Inbox(redis).page("u1")).unread == 1


async def test_what_has_ended_is_not_brought_by_a_resume(shop: Shop, redis: Redis) -> None:
    async with shop.client() as (client, ready):
        await shop.deliver(delivery(1), delivery(2, ends_at=NOW + 3650 * DAY), delivery(3))
        assert await client.notifications(3) == [1, 2, 3]
    assert await redis.zscore(keys.inbox_expiry("u1"), "n2")
    await redis.zadd(keys.inbox_expiry("u1"), {"n2": 1})
    await redis.hset(keys.inbox_meta("u1"), "expires", "1")
    resume = {"epoch": ready["epoch"], "offset": 0}
    async with shop.client(resume=resume) as (client, ready):
        assert (ready["offset"], ready["unread"]) == (3, 2)
        assert await client.notifications(2) == [1, 3]
        await shop.deliver(delivery(4))
        assert await client.notifications(1) == [4]
