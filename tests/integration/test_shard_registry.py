"""Who is connected where, and tickets, on a real store."""

import asyncio

import pytest
from redis.asyncio import Redis

from tocsin.store import keys
from tocsin.store.registry import Registry, living
from tocsin.store.tickets import Tickets

pytestmark = pytest.mark.integration


async def shard(redis: Redis, name: str, *users: str) -> Registry:
    registry = Registry(redis, name)
    await registry.reset()
    await registry.join(users)
    return registry


async def end_lease(redis: Redis, name: str) -> None:
    await redis.zadd(keys.SHARDS, {name: 1})


async def test_each_shard_finds_people_on_the_others(redis: Redis) -> None:
    a = await shard(redis, "a", "u1", "u2")
    b = await shard(redis, "b", "u2", "u3")
    await shard(redis, "c", "u2")
    for _ in range(2):
        assert await a.where(["u1", "u3", "u4"]) == [[], ["b"], []]
        assert [sorted(w) for w in await b.where(["u1", "u2"])] == [["a"], ["a", "c"]]


async def test_leaving_is_seen_at_once(redis: Redis) -> None:
    a, b = await shard(redis, "a"), await shard(redis, "b", "u1")
    assert await a.where(["u1"]) == [["b"]]
    await b.leave(["u1"])
    assert await a.where(["u1"]) == [[]]
    await b.update(["u2"], ["u1"])
    assert await a.where(["u1", "u2"]) == [[], ["b"]]


async def test_a_new_shard_is_found_by_those_who_did_not_know_it(redis: Redis) -> None:
    a = await shard(redis, "a")
    assert await a.where(["u1"]) == [[]]
    await shard(redis, "b", "u1")
    assert await a.where(["u1"]) == [["b"]]


async def test_a_shard_without_lease_is_ignored_then_removed(redis: Redis) -> None:
    a = await shard(redis, "a")
    await shard(redis, "b", "u1")
    assert await a.where(["u1"]) == [["b"]]
    await end_lease(redis, "b")
    assert await a.where(["u1"]) == [[]]
    assert await a.renew()
    assert await redis.exists(keys.shard_users("b")) == 0
    assert await redis.zrange(keys.SHARDS, 0, -1) == [b"a"]


async def test_a_shard_whose_lease_ended_is_told_so_once(redis: Redis) -> None:
    a = await shard(redis, "a", "u1")
    assert await a.renew()
    await end_lease(redis, "a")
    assert not await a.renew()
    assert await a.renew()
    await redis.flushall()
    assert not await a.renew()


async def test_a_shard_that_renewed_meanwhile_is_not_buried(redis: Redis) -> None:
    a, b = await shard(redis, "a", "u1"), await shard(redis, "b")
    bury = b._bury
    assert await bury(keys=[keys.SHARDS, keys.shard_users("a")], args=["a"]) == 0
    assert await b.where(["u1"]) == [["a"]]
    assert await a.renew()


async def test_a_restarted_shard_begins_empty(redis: Redis) -> None:
    a = await shard(redis, "a")
    await shard(redis, "b", "u1")
    await shard(redis, "b")
    assert await a.where(["u1"]) == [[]]


async def test_who_quits_leaves_nothing(redis: Redis) -> None:
    a = await shard(redis, "a", "u1")
    await a.quit()
    assert await redis.keys("shard*") == []


async def test_every_shard_that_lives_is_named(redis: Redis) -> None:
    assert await living(redis) == []
    for name in "bac":
        await shard(redis, name)
    await end_lease(redis, "c")
    assert await living(redis) == ["a", "b"]


async def test_nobody_asked_for_is_nobody_found(redis: Redis) -> None:
    assert await (await shard(redis, "a")).where([]) == []


async def test_a_ticket_admits_once(redis: Redis) -> None:
    tickets = Tickets(redis)
    ticket = await tickets.issue("user:u1")
    assert 0 < await redis.ttl(keys.ticket(ticket)) <= 30
    asked = await asyncio.gather(*(tickets.redeem(ticket) for _ in range(20)))
    assert sorted(asked, key=bool)[-2:] == [None, "user:u1"]


async def test_tickets_are_never_the_same_and_cannot_be_invented(redis: Redis) -> None:
    tickets = Tickets(redis)
    made = {await tickets.issue("user:u1") for _ in range(100)}
    assert len(made) == 100
    assert all(len(ticket) == 32 for ticket in made)
    assert await tickets.redeem("x" * 32) is None
    assert await tickets.redeem("") is None


async def test_a_ticket_that_is_over_admits_nobody(redis: Redis) -> None:
    tickets = Tickets(redis)
    ticket = await tickets.issue("user:u1")
    await redis.pexpire(keys.ticket(ticket), 0)
    assert await tickets.redeem(ticket) is None
