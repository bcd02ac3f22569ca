"""Frequency caps on a real store: counted once per notification, all limits or none."""

import asyncio

import pytest
from redis.asyncio import Redis

from tocsin.store.caps import Caps, Count, Limit

pytestmark = pytest.mark.integration
DAY = 86_400_000
TWO = Limit("promotional", 2, DAY)
THREE = Limit("all", 3, DAY)


async def test_beyond_the_limit_it_is_refused_by_name(redis: Redis) -> None:
    caps = Caps(redis)
    found = await caps.take([("anna", f"n{i}", [TWO]) for i in range(4)])
    assert found == [
        Count("", 1),
        Count("", 2),
        Count("promotional", 2),
        Count("promotional", 2),
    ]


async def test_the_same_notification_counts_once_however_often_it_is_asked_for(
    redis: Redis,
) -> None:
    caps = Caps(redis)
    for _ in range(3):
        assert await caps.take([("anna", "n1", [TWO])]) == [Count("", 1)]
    assert await caps.take([("anna", "n2", [TWO]), ("anna", "n1", [TWO])]) == [
        Count("", 2),
        Count("", 2),
    ]


async def test_people_and_names_are_counted_apart(redis: Redis) -> None:
    caps = Caps(redis)
    one = Limit("stock", 1, DAY)
    asked = [("anna", "a", [one]), ("ben", "b", [one]), ("anna", "c", [TWO])]
    assert [count.refused for count in await caps.take(asked)] == ["", "", ""]


async def test_what_one_limit_refuses_the_other_does_not_count(redis: Redis) -> None:
    caps = Caps(redis)
    await caps.take([("anna", f"n{i}", [TWO, THREE]) for i in range(5)])
    assert await caps.take([("anna", "other", [THREE])]) == [Count("", 3)]
    assert await caps.take([("anna", "last", [TWO, THREE])]) == [Count("promotional", 2)]


async def test_what_is_older_than_the_window_does_not_count(redis: Redis) -> None:
    caps, short = Caps(redis), Limit("promotional", 1, 50)
    assert await caps.take([("anna", "n1", [short])]) == [Count("", 1)]
    async with asyncio.timeout(60):
        while (await caps.take([("anna", "n2", [short])]))[0].refused:
            await asyncio.sleep(0.01)


async def test_at_once_from_many_no_more_than_the_limit_pass(redis: Redis) -> None:
    caps = Caps(redis)
    found = await asyncio.gather(*(caps.take([("anna", f"n{i}", [TWO])]) for i in range(50)))
    assert sum(not count.refused for (count,) in found) == 2
