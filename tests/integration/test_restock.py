"""Restocks on a real store and broker: who waited is told once, whatever dies in between."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from streams.bury import Bury
from streams.consume import Record
from streams.rebuild import rebuild
from streams.restock import Restock
from tocsin.clock import ManualClock
from tocsin.dead import letters
from tocsin.ids import new_id
from tocsin.kafka import start_producer
from tocsin.log import read_all
from tocsin.records import (
    InventoryChange,
    NotificationRequest,
    Profile,
    Subscription,
    encode,
    split_requests,
)
from tocsin.settings import Settings
from tocsin.store import Profiles, Subscriptions, keys
from tocsin.topics import ENGAGEMENT, INVENTORY, PROFILES, REQUESTS

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _record(offset: int, available: int, sku: str, **more: Any) -> Record:
    change = InventoryChange(
        event_id=f"{sku}-{offset}",
        sku=sku,
        occurred_at=NOW + timedelta(seconds=offset),
        available=available,
        **more,
    )
    return Record(INVENTORY.name, 0, offset, encode(change), NOW)


def _waiting(sku: str, user: str) -> Subscription:
    return Subscription(subscription_id=new_id(), user_id=user, sku=sku, created_at=NOW)


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    made = await start_producer(settings)
    yield made
    await made.stop()


async def _are_told(settings: Settings, sku: str, *users: str) -> None:
    """Return once the log has exactly these; a topic made just now may look empty for a moment."""
    async with asyncio.timeout(30):
        while (told := await _told(settings, sku)) != list(users):
            assert set(told) < set(users), told


async def _told(settings: Settings, sku: str) -> list[str]:
    found: list[NotificationRequest] = []
    async for record in read_all(settings, REQUESTS):
        found += [r for r in split_requests(record.value) if isinstance(r, NotificationRequest)]
    return sorted(r.user_id for r in found if r.data.get("sku") == sku)


class Broken:
    """A producer that dies before the request is durable."""

    async def send(self, *_: object, **__: object) -> None:
        raise OSError("killed here")


def _restock(settings: Settings, redis: Redis, producer: AIOKafkaProducer | Broken) -> Restock:
    return Restock(
        producer, Subscriptions(redis), Bury(producer), ManualClock(NOW), settings.partitions
    )


async def test_a_crossing_tells_everyone_who_waited_once(
    settings: Settings, redis: Redis, producer: AIOKafkaProducer
) -> None:
    restock, subscriptions = _restock(settings, redis, producer), Subscriptions(redis)
    sku = new_id()
    await restock([_record(1, 0, sku)])
    for user in ("anna", "bob"):
        await subscriptions.add(_waiting(sku, user))
    await restock([_record(2, 0, sku), _record(3, 5, sku), _record(4, 9, sku)])
    await restock([_record(3, 5, sku)])
    await _are_told(settings, sku, "anna", "bob")
    states = {s.state for u in ("anna", "bob") for s in await subscriptions.of_user(u)}
    assert states == {"notified"}


async def test_dying_between_the_script_and_kafka_loses_nobody(
    settings: Settings, redis: Redis, producer: AIOKafkaProducer
) -> None:
    sku = new_id()
    await Subscriptions(redis).add(_waiting(sku, "carol"))
    with pytest.raises(OSError, match="killed here"):
        await _restock(settings, redis, Broken())([_record(1, 5, sku)])
    assert await _told(settings, sku) == []
    await _restock(settings, redis, producer)([_record(1, 5, sku)])
    await _are_told(settings, sku, "carol")


async def test_late_and_repeated_changes_change_nothing(settings: Settings, redis: Redis) -> None:
    subscriptions, sku = Subscriptions(redis), new_id()
    base = InventoryChange(event_id="a", sku=sku, occurred_at=NOW, available=7)
    older = InventoryChange(
        event_id="b", sku=sku, occurred_at=NOW - timedelta(seconds=1), available=0
    )
    delta = InventoryChange(event_id="c", sku=sku, occurred_at=NOW, delta=-2)
    results = await subscriptions.apply([base, older, delta, delta])
    assert [(r.applied, r.available) for r in results] == [
        (True, 7),
        (False, 7),
        (True, 5),
        (False, 5),
    ]


async def test_who_shows_stock_is_told_once_a_batch_and_again_after_a_death(
    settings: Settings, redis: Redis, producer: AIOKafkaProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    restock = _restock(settings, redis, producer)
    lamp, sofa = new_id(), new_id()
    batch = [_record(1, 4, lamp), _record(2, 0, sofa), _record(3, 3, lamp), _record(2, 9, lamp)]
    async with redis.pubsub() as published:
        await published.subscribe(keys.STOCK_CHANGED)
        for _ in range(2):
            await restock(batch)
            assert await _announced(published) == {lamp: 3, sofa: 0}
        await restock([])

        async def away(*_: object) -> None:
            raise RedisConnectionError("away")

        monkeypatch.setattr(Subscriptions, "announce", away)
        await restock([_record(5, 2, lamp)])  # the stock is applied all the same
        assert await Subscriptions(redis).available([lamp]) == [2]
        monkeypatch.undo()
        await restock([_record(6, 1, lamp)])
        assert await _announced(published) == {lamp: 1}


async def _announced(published: PubSub) -> dict[str, int]:
    """What the next publication says."""
    while True:
        message = await published.get_message(ignore_subscribe_messages=True, timeout=20)
        if message:
            return dict(json.loads(message["data"]))


async def test_a_bad_change_is_a_dead_letter_and_the_rest_goes_on(
    settings: Settings, redis: Redis, producer: AIOKafkaProducer
) -> None:
    sku = new_id()
    await Subscriptions(redis).add(_waiting(sku, "dora"))
    bad = Record(INVENTORY.name, 0, 777, b'{"sku":"x","available":-1}', NOW)
    await _restock(settings, redis, producer)([bad, _record(2, 1, sku)])
    await _are_told(settings, sku, "dora")
    mine = [x for x in await letters(settings) if x.offset == 777]
    assert [(x.error, x.field) for x in mine] == [("Invalid", "available")]


async def test_rebuild_restores_profiles_and_subscriptions(
    settings: Settings, redis: Redis, producer: AIOKafkaProducer
) -> None:
    user, sku = new_id(), new_id()
    for version in (1, 2):
        profile = Profile(user_id=user, name=f"v{version}", version=version)
        await producer.send_and_wait(PROFILES.name, encode(profile), key=user.encode())
    waiting = _waiting(sku, user)
    key = waiting.subscription_id.encode()
    await producer.send_and_wait("subscriptions", encode(waiting), key=key)
    await rebuild(settings, redis)
    restored = await Profiles(redis).get(user)
    assert restored is not None
    assert restored.name == "v2"
    await _restock(settings, redis, producer)([_record(9, 5, sku)])
    assert await _told(settings, sku) == [user]


async def test_a_whole_topic_is_read_however_its_records_were_batched(settings: Settings) -> None:
    producer = await start_producer(settings, linger_ms=50)
    marker = new_id().encode()
    futures = [
        await producer.send("engagement.events", marker + b"%d" % n, partition=0) for n in range(25)
    ]
    for future in futures:
        await future
    await producer.stop()
    found = [r.value async for r in read_all(settings, ENGAGEMENT) if r.value.startswith(marker)]
    assert found == [marker + b"%d" % n for n in range(25)]
