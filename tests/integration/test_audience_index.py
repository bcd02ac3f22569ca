"""The indexes that broadcasts go by say what the profiles say, after any change and any race."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from redis.asyncio import Redis

from tocsin.records import Audience, Broadcast, Page, Profile, encode
from tocsin.settings import Settings
from tocsin.store import Audiences, Profiles, connect, keys
from tocsin.store.audience import Turn, Verdict, index_of

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOPICS = ("admins", "news", "sale")


@pytest.fixture
async def ready(redis: Redis) -> Redis:
    """A store that holds everybody there is."""
    await redis.set(keys.STORE_READY, 1)
    return redis


async def _indexed(redis: Redis, name: str) -> set[str]:
    return {user.decode() for user in cast(list[bytes], await redis.zrange(name, 0, -1))}


async def _agree(redis: Redis, users: set[str]) -> None:
    found = zip(sorted(users), await Profiles(redis).get_many(sorted(users)), strict=True)
    there = {user: profile for user, profile in found if profile}
    assert await _indexed(redis, keys.PEOPLE) == set(there)
    for topic in TOPICS:
        follow = {user for user, profile in there.items() if topic in profile.topics}
        assert await _indexed(redis, keys.followers(topic)) == follow


USERS = st.sampled_from(("ada", "bea", "çö", "d:e"))
FOLLOWED = st.lists(st.sampled_from(TOPICS), unique=True).map(tuple)
CHANGES = st.one_of(
    st.tuples(st.just("change"), USERS, FOLLOWED),
    st.tuples(st.just("put"), USERS, FOLLOWED, st.integers(1, 9)),
    st.tuples(st.just("delete"), USERS),
    st.tuples(st.just("lose"), st.sampled_from((keys.PEOPLE, keys.followers("news")))),
)


async def _apply(redis: Redis, kind: str, name: str, *rest: Any) -> None:
    profiles = Profiles(redis)
    if kind == "change":
        topics = rest[0]
        await profiles.change(name, lambda p: replace(p or Profile(name), topics=topics))
    elif kind == "put":
        await profiles.put(Profile(name, topics=rest[0], version=rest[1]))
    elif kind == "delete":
        await profiles.delete(name)
    else:  # an index is lost, and a rebuild puts everybody back
        await redis.delete(name)
        for profile in await profiles.get_many(["ada", "bea", "çö", "d:e"]):
            if profile:
                await profiles.put(profile)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(CHANGES, max_size=12))
def test_they_agree_after_any_sequence_of_changes(
    store_settings: Settings, changes: list[tuple[Any, ...]]
) -> None:
    async def run() -> None:
        redis = await connect(store_settings)
        await redis.flushall()
        await redis.set(keys.STORE_READY, 1)
        for change in changes:
            await _apply(redis, *change)
            await _agree(redis, {"ada", "bea", "çö", "d:e"})
        await redis.aclose()

    asyncio.run(run())


async def test_they_agree_when_many_change_one_person_at_once(ready: Redis) -> None:
    profiles = Profiles(ready)

    async def follow(topic: str) -> None:
        def step(before: Profile | None) -> Profile:
            there = before or Profile("ada")
            return replace(there, topics=tuple(sorted({*there.topics, topic})))

        await profiles.change("ada", step)

    await asyncio.gather(*(follow(topic) for topic in TOPICS), profiles.delete("ada"))
    await _agree(ready, {"ada"})


async def test_a_change_that_overslept_an_erasure_leaves_no_trace_of_old_topics(
    ready: Redis,
) -> None:
    profiles = Profiles(ready)
    await profiles.put(Profile("ada", topics=("news",), version=1))

    async def meanwhile() -> None:
        await profiles.delete("ada")
        await profiles.put(Profile("ada", topics=("sale",), version=1))

    read = profiles.get_many

    async def slow(user_ids: Any) -> Any:
        found = await read(user_ids)
        profiles.get_many = read  # type: ignore[method-assign]
        await meanwhile()
        return found

    profiles.get_many = slow  # type: ignore[method-assign]
    await profiles.change("ada", lambda p: replace(p or Profile("ada"), topics=("admins",)))
    await _agree(ready, {"ada"})


def _page(audience: Audience, **more: Any) -> Page:
    return Page(Broadcast("b1", audience, "NEWSLETTER", NOW), **more)


async def _walk(redis: Redis, audience: Audience, most: int) -> list[str]:
    audiences, page, found = Audiences(redis), _page(audience), list[str]()
    while True:
        turn = await audiences.page(page, f"p:{page.number}", most, NOW)
        assert turn.verdict is Verdict.GO
        found += turn.user_ids
        if len(turn.user_ids) < most:
            return found
        page = _page(audience, after=turn.user_ids[-1], number=page.number + 1)


@pytest.mark.parametrize("most", [1, 3, 100])
async def test_pages_are_everybody_once_in_order(ready: Redis, most: int) -> None:
    users = ["a", "aa", "b", "é", "日本", "😀", "Z", "(x", "[y", "-", "+", "\x01"]
    for user in users:
        await Profiles(ready).put(Profile(user, topics=("news",), version=1))
    await Profiles(ready).put(Profile("stranger", version=1))
    found = await _walk(ready, Audience(topic="news"), most)
    assert found == sorted(users, key=str.encode)
    await ready.delete(keys.broadcast("b1"))
    assert set(await _walk(ready, Audience(segment=()), most)) == {*users, "stranger"}


async def test_nobody_follows_a_topic_nobody_follows(ready: Redis) -> None:
    assert await _walk(ready, Audience(topic="none"), 10) == []


async def test_an_emptied_store_says_so_and_not_that_there_is_nobody(redis: Redis) -> None:
    await redis.flushall()
    turn = await Audiences(redis).page(_page(Audience(segment=())), "p:0", 10, NOW)
    assert turn == Turn(Verdict.EMPTIED, [])
    assert not await redis.exists(keys.broadcast("b1"))


def test_admins_are_a_topic_of_their_own() -> None:
    assert index_of(Audience(admins=True)) == keys.followers("admins")
    assert index_of(Audience(segment=())) == keys.PEOPLE


async def test_a_stored_profile_is_as_large_as_before(redis: Redis) -> None:
    """The index is beside it, not in it."""
    profile = Profile("ada", topics=("news",), version=1)
    await Profiles(redis).put(profile)
    assert await redis.get(keys.profile("ada")) == encode(profile)
