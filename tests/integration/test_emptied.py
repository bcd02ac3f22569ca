"""An emptied store: what it misses counts for nothing, until a rebuild has marked it whole."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from tocsin.errors import StoreEmptied
from tocsin.ids import new_id
from tocsin.records import InventoryChange, Profile, Subscription
from tocsin.store import Profiles, Subscriptions, View, keys

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _waiting(user: str, sku: str) -> Subscription:
    return Subscription(subscription_id=f"{user}-{sku}", user_id=user, sku=sku, created_at=NOW)


def _stock(available: int, event: str = "e1") -> InventoryChange:
    return InventoryChange(event_id=event, sku="lamp", occurred_at=NOW, available=available)


async def _refused(call: Any) -> None:
    with pytest.raises(StoreEmptied, match="tocsin rebuild"):
        await call


async def test_nobody_is_unknown_to_an_emptied_store(redis: Redis) -> None:
    profiles = Profiles(redis)
    assert await profiles.get_many(["ada"]) == [None]
    await redis.flushall()
    await _refused(profiles.get("ada"))
    await _refused(profiles.known(["ada"]))
    assert await profiles.get_many([]) == []


async def test_a_change_begins_no_new_count_of_versions(redis: Redis) -> None:
    await redis.flushall()
    await _refused(Profiles(redis).change("ada", lambda _: Profile(user_id="ada")))
    assert await redis.dbsize() == 0


async def test_who_is_restored_is_there_and_who_is_not_is_not_unknown(redis: Redis) -> None:
    profiles = Profiles(redis)
    await redis.flushall()
    await profiles.put(Profile(user_id="ada", version=3))
    assert [p and p.version for p in await profiles.get_many(["ada"])] == [3]
    await _refused(profiles.get_many(["ada", "bob"]))


async def test_no_sign_up_and_no_stock_is_missing_for_certain(redis: Redis) -> None:
    subscriptions = Subscriptions(redis)
    assert await subscriptions.available(["lamp"]) == [None]
    await redis.flushall()
    await _refused(subscriptions.get("ada-lamp"))
    await _refused(subscriptions.of_user("ada"))
    await _refused(subscriptions.available(["lamp"]))


async def test_part_of_a_persons_sign_ups_is_not_taken_for_all_of_them(redis: Redis) -> None:
    subscriptions = Subscriptions(redis)
    await redis.flushall()
    await subscriptions.add(_waiting("ada", "lamp"))
    assert await subscriptions.get("ada-lamp") is not None
    await _refused(subscriptions.of_user("ada"))


async def test_a_stock_change_waits_and_is_a_crossing_once_the_view_is_whole(redis: Redis) -> None:
    subscriptions = Subscriptions(redis)
    await redis.flushall()
    await _refused(subscriptions.apply([_stock(5)]))
    assert await redis.dbsize() == 0
    await subscriptions.add(_waiting("ada", "lamp"))
    await redis.set(keys.STORE_READY, "now")
    (restocked,) = await subscriptions.apply([_stock(5)])
    assert [s.user_id for s in restocked.firing] == ["ada"]


async def test_whoever_fires_is_not_lost_between_the_stock_and_the_sign_ups(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is emptied after the script has named who fires, before they are read."""
    subscriptions = Subscriptions(redis)
    await subscriptions.add(_waiting("ada", "lamp"))
    read = subscriptions._read

    async def emptied_before(ids: Any) -> Any:
        await redis.flushall()
        return await read(ids)

    monkeypatch.setattr(subscriptions, "_read", emptied_before)
    await _refused(subscriptions.apply([_stock(5)]))


async def test_one_rebuild_at_a_time_and_only_the_one_at_work_finishes(redis: Redis) -> None:
    view = View(redis)
    await redis.flushall()
    assert await view.begin("one")
    assert not await view.begin("two")
    with pytest.raises(StoreEmptied):
        await view.finish("two")
    assert not await view.is_whole()
    await view.keep("one")
    await view.finish("one")
    assert await view.is_whole()
    assert await view.begin("two")
    await view.give_up("two")
    assert await redis.keys("*") == [keys.STORE_READY.encode()]


async def test_a_store_emptied_during_a_rebuild_is_not_marked_whole(redis: Redis) -> None:
    view, token = View(redis), new_id()
    assert await view.begin(token)
    await redis.flushall()
    for call in (
        view.keep(token),
        view.finish(token),
        Profiles(redis).restore([Profile(user_id="ada", version=1)], token),
        Subscriptions(redis).restore([_waiting("ada", "lamp")], token),
    ):
        await _refused(call)
    assert await redis.dbsize() == 0


async def test_the_lease_of_a_dead_rebuild_ends(redis: Redis) -> None:
    assert await View(redis, lease_seconds=0.05).begin("dead")
    async with asyncio.timeout(60):
        while not await View(redis).begin("next"):
            await asyncio.sleep(0.01)


async def test_who_is_erased_during_a_rebuild_is_not_brought_back(redis: Redis) -> None:
    """The rebuild has read the log before the tombstones were written."""
    view, profiles, subscriptions = View(redis), Profiles(redis), Subscriptions(redis)
    ada, signup = Profile(user_id="ada", version=5), _waiting("ada", "lamp")
    await profiles.put(ada)
    await subscriptions.add(signup)
    await view.begin("r")
    await subscriptions.erase("ada", [signup])
    assert await profiles.delete("ada")
    assert await profiles.restore([ada, Profile(user_id="bob", version=1)], "r") == 1
    assert await subscriptions.restore([signup], "r") == 0
    assert await profiles.known(["ada", "bob"]) == [False, True]
    # registered anew, she stays as she is now
    await profiles.change("ada", lambda _: Profile(user_id="ada", name="anew"))
    assert await profiles.restore([ada], "r") == 0
    await view.finish("r")
    assert not await redis.exists(keys.STORE_ERASED)


async def test_no_rebuild_at_work_no_note_of_the_erased(redis: Redis) -> None:
    await Profiles(redis).delete("ada")
    assert await redis.keys("*") == [keys.STORE_READY.encode()]
