"""`tocsin rebuild` on a real log: all comes back as it was, whatever came before or between."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from os import environ
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis

from streams import restore_stock
from streams.rebuild import rebuild
from tocsin.errors import StoreEmptied
from tocsin.groups import STREAMS
from tocsin.ids import new_id
from tocsin.kafka import start_producer
from tocsin.records import InventoryChange, Preferences, Profile, Subscription, encode
from tocsin.settings import Settings
from tocsin.store import Profiles, Subscriptions, View, keys
from tocsin.store.shadow_stock import ShadowStock
from tocsin.topics import INVENTORY, PROFILES, SUBSCRIPTIONS, Topic

pytestmark = pytest.mark.integration
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _no_worker_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none whose last commit must be waited for."""
    monkeypatch.setattr(restore_stock, "SETTLED_SECONDS", 0.0)


class Logged:
    """Writes to the log, and says how far the restock agent has come."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._settings, self._producer = settings, producer

    async def put(self, topic: Topic, key: str, value: Any) -> None:
        raw = value if value is None or isinstance(value, bytes) else encode(value)
        await self._producer.send_and_wait(topic.name, raw, key=key.encode())

    async def stock(self, sku: str, *, seconds: int = 0, **what: Any) -> None:
        at = NOW + timedelta(seconds=seconds)
        change = InventoryChange(event_id=new_id(), sku=sku, occurred_at=at, **what)
        await self.put(INVENTORY, sku, change)

    async def commit(self) -> None:
        """The restock agent is through with everything there is."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_servers(), group_id=STREAMS,
            enable_auto_commit=False, auto_offset_reset="earliest",
        )  # fmt: skip
        await consumer.start()
        try:
            places = [TopicPartition(INVENTORY.name, p) for p in range(self._settings.partitions)]
            consumer.assign(places)
            await consumer.seek_to_beginning()
            while await consumer.getmany(timeout_ms=400):
                pass
            await consumer.commit({place: await consumer.position(place) for place in places})
        finally:
            await consumer.stop()


@pytest.fixture
async def logged(settings: Settings) -> AsyncIterator[Logged]:
    producer = await start_producer(settings)
    yield Logged(settings, producer)
    await producer.stop()


async def _everything(redis: Redis) -> dict[bytes, Any]:
    """The whole store, but for when it was marked and which events it remembers."""
    found: dict[bytes, Any] = {}
    async for key in redis.scan_iter("*"):
        kind = await redis.type(key)
        if kind == b"hash":
            found[key] = await redis.hgetall(key)
        elif kind == b"set":
            found[key] = await redis.smembers(key)
        elif kind == b"zset":
            found[key] = await redis.zrange(key, 0, -1, withscores=True)
        elif key != keys.STORE_READY.encode():
            found[key] = await redis.get(key)
    return found


def _waiting(user: str, sku: str, seconds: int = 0) -> Subscription:
    at = NOW + timedelta(seconds=seconds)
    return Subscription(subscription_id=new_id(), user_id=user, sku=sku, created_at=at)


async def test_an_emptied_store_comes_back_and_a_second_time_changes_nothing(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    user, sku = new_id(), new_id()
    out = Profile(user_id=user, preferences=Preferences(opted_out=True), version=2)
    waiting, ended = _waiting(user, sku), _waiting(user, sku)
    await logged.put(PROFILES, user, Profile(user_id=user, version=1))
    await logged.put(PROFILES, user, out)
    for each in (waiting, ended):
        await logged.put(SUBSCRIPTIONS, each.subscription_id, each)
    told = Subscription(ended.subscription_id, user, sku, ended.created_at, state="notified")
    await logged.put(SUBSCRIPTIONS, ended.subscription_id, told)
    await logged.stock(sku, available=3)
    await logged.commit()
    await redis.flushall()
    await rebuild(settings, redis)
    assert await View(redis).is_whole()
    assert await Profiles(redis).get(user) == out
    subscriptions = Subscriptions(redis)
    assert await subscriptions.available([sku]) == [3]
    assert await redis.zrange(keys.waiting(sku), 0, -1) == [waiting.subscription_id.encode()]
    listed = {s.subscription_id: s.state for s in await subscriptions.of_user(user)}
    assert listed == {waiting.subscription_id: "waiting", ended.subscription_id: "notified"}
    before = await _everything(redis)
    tallies = await rebuild(settings, redis)
    assert {t.stored for t in tallies} == {0}
    assert await _everything(redis) == before


async def test_a_change_after_the_rebuild_goes_on_counting_versions(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    user = new_id()
    await logged.put(PROFILES, user, Profile(user_id=user, version=41))
    await redis.flushall()
    await rebuild(settings, redis)
    changed = await Profiles(redis).change(user, lambda p: Profile(user_id=user, name="x"))
    assert changed.version == 42


async def test_the_store_is_not_set_back_by_a_log_that_is_behind(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    user, sku = new_id(), new_id()
    signup = _waiting(user, sku)
    await logged.put(PROFILES, user, Profile(user_id=user, version=1))
    await logged.put(SUBSCRIPTIONS, signup.subscription_id, signup)
    newer = Profile(user_id=user, name="newer", version=2)
    await Profiles(redis).put(newer)
    await Subscriptions(redis).fired([signup])
    await rebuild(settings, redis)
    assert await Profiles(redis).get(user) == newer
    assert await redis.zcard(keys.waiting(sku)) == 0


async def test_who_was_told_does_not_wait_again_though_the_log_says_so_last(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    sku = new_id()
    signup = _waiting("ada", sku)
    told = Subscription(signup.subscription_id, "ada", sku, signup.created_at, state="notified")
    for each in (signup, told, signup):  # a sign-up asked for twice at once, and then a crash
        await logged.put(SUBSCRIPTIONS, signup.subscription_id, each)
    await redis.flushall()
    await rebuild(settings, redis)
    assert await redis.zcard(keys.waiting(sku)) == 0


async def test_who_comes_first_is_told_first_as_before(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    sku = new_id()
    queue = [_waiting("ada", sku, 1), _waiting("bob", sku, 2), _waiting("cleo", sku, 3)]
    for each in reversed(queue):
        await logged.put(SUBSCRIPTIONS, each.subscription_id, each)
    await redis.flushall()
    await rebuild(settings, redis)
    found = await redis.zrange(keys.waiting(sku), 0, -1)
    assert found == [s.subscription_id.encode() for s in queue]


async def test_the_erased_stay_erased(settings: Settings, redis: Redis, logged: Logged) -> None:
    user, signup = new_id(), _waiting("ada", new_id())
    await logged.put(PROFILES, user, Profile(user_id=user, version=7))
    await logged.put(PROFILES, user, None)
    await logged.put(SUBSCRIPTIONS, signup.subscription_id, signup)
    await logged.put(SUBSCRIPTIONS, signup.subscription_id, None)
    await redis.flushall()
    await rebuild(settings, redis)
    assert await Profiles(redis).get(user) is None
    assert await Subscriptions(redis).get(signup.subscription_id) is None


async def test_bad_records_are_counted_named_and_harm_nothing_else(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    user, sku, lines = new_id(), new_id(), list[str]()
    await logged.put(PROFILES, user, Profile(user_id=user, version=1))
    await logged.put(PROFILES, user, b'{"user_id":"x","email":1}')
    await logged.put(SUBSCRIPTIONS, "s", b"not JSON")
    await logged.stock(sku, available=4)
    await logged.put(INVENTORY, sku, b'{"sku":"x","available":-1}')
    await logged.stock(sku, available=0, seconds=90_000)
    await logged.commit()
    await redis.flushall()
    tallies = {t.topic: t for t in await rebuild(settings, redis, lines.append)}
    assert {name: t.bad for name, t in tallies.items()} == {
        "profiles": 1, "subscriptions": 1, "inventory.changes": 2, "templates": 0,
        "cancellations": 0, "schedule": 0,
    }  # fmt: skip
    assert any("skipped: email: expected `str" in line for line in lines)
    assert any("lies more than a day ahead" in line for line in lines)
    assert await Profiles(redis).known([user]) == [True]
    assert await Subscriptions(redis).available([sku]) == [4]


async def test_stock_is_what_was_done_and_what_was_not_fires_later(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    sku = new_id()
    signup = _waiting("ada", sku)
    await logged.put(SUBSCRIPTIONS, signup.subscription_id, signup)
    await logged.stock(sku, available=0)
    await logged.commit()
    await logged.stock(sku, available=5, seconds=1)
    await redis.flushall()
    await rebuild(settings, redis)
    subscriptions = Subscriptions(redis)
    assert await subscriptions.available([sku]) == [0]
    later = InventoryChange(
        event_id="later", sku=sku, occurred_at=NOW + timedelta(seconds=1), available=5
    )
    (restocked,) = await subscriptions.apply([later])
    assert [s.user_id for s in restocked.firing] == ["ada"]


async def test_restored_stock_fires_nobody_and_a_save_is_no_crossing(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    sku = new_id()
    signup = _waiting("ada", sku)
    await logged.put(SUBSCRIPTIONS, signup.subscription_id, signup)
    await logged.stock(sku, available=0)
    await logged.stock(sku, available=5, seconds=1)
    await logged.commit()
    await redis.flushall()
    await rebuild(settings, redis)
    assert not await redis.exists(keys.firing(sku))
    more = InventoryChange(event_id="m", sku=sku, occurred_at=NOW + timedelta(seconds=2), delta=1)
    (restocked,) = await Subscriptions(redis).apply([more])
    assert (restocked.available, restocked.firing) == (6, [])


async def test_deltas_versions_and_repetitions_count_as_they_did(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    """Once by the agent's own script, as they came; once from the log: the very same stock."""
    sku, subscriptions = new_id(), Subscriptions(redis)
    said: Sequence[tuple[str, int, dict[str, Any]]] = (
        ("a", 0, {"available": 10, "version": 5}),
        ("b", 1, {"delta": -3}),
        ("b", 1, {"delta": -3}),  # delivered twice
        ("c", 2, {"available": 99, "version": 4}),  # overtaken
        ("d", -9, {"available": 50}),  # older than the newest
        ("e", 3, {"delta": -20}),  # sold more than there was
        ("f", 4, {"delta": 2}),
    )
    changes = [
        InventoryChange(event_id=event, sku=sku, occurred_at=NOW + timedelta(seconds=at), **what)
        for event, at, what in said
    ]
    await subscriptions.apply(changes)
    for change in changes:
        await logged.put(INVENTORY, sku, change)
    await logged.commit()
    names = keys.stock(sku), keys.stock_events(sku)
    then = await redis.hgetall(names[0]), await redis.zrange(names[1], 0, -1, withscores=True)
    await redis.flushall()
    await rebuild(settings, redis)
    now = await redis.hgetall(names[0]), await redis.zrange(names[1], 0, -1, withscores=True)
    assert now[0].pop(b"restored")
    assert now == then
    assert now[0][b"available"] == b"2"


async def test_stock_that_lived_on_is_left_alone(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    """The log may not reach back as far: here it knows a delta, and not what it came on top of."""
    sku, subscriptions = new_id(), Subscriptions(redis)
    whole = InventoryChange(event_id="old", sku=sku, occurred_at=NOW, available=100)
    await subscriptions.apply([whole])
    await logged.stock(sku, delta=-1)
    await logged.commit()
    await rebuild(settings, redis)
    assert await subscriptions.available([sku]) == [100]
    await redis.delete(keys.STORE_READY)  # a store from before there was a marker
    await rebuild(settings, redis)
    assert await subscriptions.available([sku]) == [100]


async def test_after_a_rebuild_that_died_the_next_one_is_right(
    settings: Settings, redis: Redis, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    sku = new_id()
    await logged.stock(sku, available=10)
    await logged.stock(sku, delta=-1, seconds=1)
    await logged.commit()
    await redis.flushall()

    async def dies(*_: object) -> None:
        raise OSError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(View, "finish", dies)
        with pytest.raises(OSError, match="killed here"):
            await rebuild(settings, redis)
    assert not await View(redis).is_whole()
    with monkeypatch.context() as patch:
        patch.setattr("streams.restore_stock.ShadowStock.adopt", dies)
        with pytest.raises(OSError, match="killed here"):
            await rebuild(settings, redis)
    assert [key async for key in redis.scan_iter(keys.SHADOWS)] != []
    await logged.stock(sku, delta=-1, seconds=2)
    await logged.commit()
    await rebuild(settings, redis)
    assert await Subscriptions(redis).available([sku]) == [8]
    assert [key async for key in redis.scan_iter(keys.SHADOWS)] == []


async def test_a_commit_that_comes_late_is_waited_for(
    settings: Settings, redis: Redis, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker was through with a change when the store was emptied, and says so a moment later."""
    monkeypatch.setattr(restore_stock, "SETTLED_SECONDS", 60.0)
    sku, restoring = new_id(), asyncio.Event()
    await logged.stock(sku, available=3)
    await logged.commit()
    await logged.stock(sku, available=0, seconds=1)
    await redis.flushall()
    real = ShadowStock.apply

    async def noticed(self: Any, changes: Any) -> None:
        await real(self, changes)
        restoring.set()

    monkeypatch.setattr("streams.restore_stock.ShadowStock.apply", noticed)
    work = asyncio.create_task(rebuild(settings, redis))
    await restoring.wait()
    await logged.commit()
    monkeypatch.setattr(restore_stock, "SETTLED_SECONDS", 0.0)
    await work
    assert await Subscriptions(redis).available([sku]) == [0]


async def test_a_store_emptied_again_in_the_middle_is_said_so(
    settings: Settings, redis: Redis, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = new_id()
    await logged.put(PROFILES, user, Profile(user_id=user, version=1))
    await redis.flushall()
    real = Subscriptions.restore

    async def emptied(self: Subscriptions, *args: Any, **more: Any) -> int:
        await redis.flushall()
        return await real(self, *args, **more)

    signup = _waiting(user, new_id())
    await logged.put(SUBSCRIPTIONS, signup.subscription_id, signup)
    with monkeypatch.context() as patch:
        patch.setattr(Subscriptions, "restore", emptied)
        with pytest.raises(StoreEmptied, match="emptied again"):
            await rebuild(settings, redis)
    assert not await View(redis).is_whole()
    await rebuild(settings, redis)
    assert await Profiles(redis).known([user]) == [True]


async def test_a_second_rebuild_waits_for_the_first(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    user, lines = new_id(), list[str]()
    await logged.put(PROFILES, user, Profile(user_id=user, version=1))
    await redis.flushall()
    await View(redis).begin("the first")
    second = asyncio.create_task(rebuild(settings, redis, lines.append))
    async with asyncio.timeout(60):
        while not lines:
            await asyncio.sleep(0.01)
    assert "waiting" in lines[0]
    await View(redis).finish("the first")
    await second
    assert await Profiles(redis).known([user]) == [True]


def _command(settings: Settings, *args: str) -> "subprocess.CompletedProcess[str]":
    environment = environ | {
        "TOCSIN_KAFKA_URL": settings.kafka_url,
        "TOCSIN_REDIS_URL": settings.redis_url.get_secret_value(),
    }
    argv = [sys.executable, "-m", "streams.rebuild", *args]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60)


async def test_the_command_restores_an_emptied_store_and_leaves_a_whole_one(
    settings: Settings, redis: Redis, logged: Logged
) -> None:
    user = new_id()
    await logged.put(PROFILES, user, Profile(user_id=user, version=1))
    await redis.flushall()
    done = await asyncio.to_thread(_command, settings, "--if-empty")
    assert done.returncode == 0, done.stderr
    assert "the view is whole again" in done.stdout.splitlines()[-1]
    assert await Profiles(redis).known([user]) == [True]
    again = await asyncio.to_thread(_command, settings, "--if-empty")
    assert (again.returncode, len(again.stdout.splitlines())) == (0, 1)
    assert "nothing to do" in again.stdout


async def test_without_its_engines_the_command_says_which_in_one_line(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"kafka_url": "kafka://127.0.0.1:1"})
    done = await asyncio.to_thread(_command, nowhere)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("tocsin rebuild: Kafka does not answer")
