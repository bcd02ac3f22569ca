"""What people did with their inbox reaches the log, through deaths and outages, and counts once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from streams.engage import Engage
from tocsin.kafka import start_producer
from tocsin.log import read_all
from tocsin.records import Engagement, Outcome, OutcomeBatch, Profile, decode, encode
from tocsin.settings import Settings
from tocsin.store import Profiles, keys
from tocsin.store.engaged import Engaged, Entry
from tocsin.store.inbox import Inbox
from tocsin.topics import ENGAGEMENT, OUTCOMES

pytestmark = pytest.mark.integration

PEOPLE = ("ada", "bea")
T = TypeVar("T", Engagement, Outcome)


def items(user: str, *numbers: int) -> list[tuple[str, str, bytes]]:
    """Named after their owner: the topics keep what an earlier test wrote."""
    return [(user, name, item(name)) for name in (f"{user}-{n}" for n in numbers)]


def item(name: str) -> bytes:
    return encode({"notification_id": name, "type": "REVIEW", "at": "2026-11-24T12:00:00Z"})


class Books:
    """One worker's Engage, and what it has written since the test began."""

    def __init__(self, settings: Settings, redis: Redis, producer: AIOKafkaProducer) -> None:
        self.settings, self.redis, self.producer = settings, redis, producer
        self.inbox = Inbox(redis)

    def worker(self, name: str, dead_ms: int = 30_000, engaged: Any = Engaged) -> Engage:
        stream = engaged(self.redis, name, dead_ms)
        return Engage(self.producer, stream, self.settings.partitions)

    async def events(self, count: int, *users: str) -> list[Engagement]:
        """The events of these people, of which there must be so many."""
        return await self._all(count, self._events, users)

    async def receipts(self, count: int, *users: str) -> list[Outcome]:
        """The receipts of these people, of which there must be so many."""
        return await self._all(count, self._receipts, users)

    async def _all(self, count: int, read: Callable[[], Awaitable[list[T]]], users: Any) -> list[T]:
        # they are durable; but a topic made just now may look empty for a moment
        async with asyncio.timeout(60):
            while True:
                found = [each for each in await read() if each.user_id in users]
                assert len(found) <= count
                if len(found) == count:
                    return found

    async def _events(self) -> list[Engagement]:
        return [decode(Engagement, r.value) async for r in read_all(self.settings, ENGAGEMENT)]

    async def _receipts(self) -> list[Outcome]:
        batches = [decode(OutcomeBatch, r.value) async for r in read_all(self.settings, OUTCOMES)]
        return [each for batch in batches for each in batch.outcomes]


@pytest.fixture
async def books(settings: Settings, redis: Redis) -> AsyncIterator[Books]:
    producer = await start_producer(settings)
    yield Books(settings, redis, producer)
    await producer.stop()


async def some(books: Books, *users: str) -> None:
    """People with three items each, of which they have acknowledged all, read one and dismissed
    one."""
    for user in users:
        await Profiles(books.redis).put(Profile(user))
        written = await books.inbox.append(items(user, 1, 2, 3))
        await books.inbox.ack([(user, written[0].epoch, 3)])
        await books.inbox.mark_read(user, [f"{user}-1"])
        await books.inbox.delete(user, [f"{user}-1", f"{user}-2"])


def said(events: Sequence[Engagement]) -> list[tuple[str, str]]:
    return sorted({(event.kind, event.notification_id) for event in events})


async def test_reads_dismissals_and_acknowledgements_reach_the_log(books: Books) -> None:
    await some(books, "ada", "bea")
    worker = books.worker("w")
    assert await worker.once() == 6
    assert await books.redis.xlen(keys.ENGAGED) == 0
    events = await books.events(4, "ada", "bea")
    assert said(events) == [
        ("dismiss", "ada-2"), ("dismiss", "bea-2"), ("read", "ada-1"), ("read", "bea-1"),
    ]  # fmt: skip
    assert {(e.channel, e.type) for e in events} == {("inapp", "REVIEW")}
    receipts = await books.receipts(6, "ada", "bea")
    assert sorted(r.delivery_id for r in receipts) == [
        f"{user}-{n}:inapp" for user in PEOPLE for n in (1, 2, 3)
    ]


class Dying(Engaged):
    """Whoever uses it dies between Kafka and the store."""

    async def finish(self, entries: Sequence[Entry]) -> None:
        raise ConnectionError("killed")


async def test_one_that_died_is_inherited_and_what_it_wrote_is_written_the_same_again(
    books: Books,
) -> None:
    await some(books, "cid")
    with pytest.raises(ConnectionError):
        await books.worker("dead", engaged=Dying).once()
    assert await books.worker("other").once() == 0  # it is not taken to be dead yet
    assert await books.worker("heir", dead_ms=0).once() == 3
    assert len({encode(event) for event in await books.events(4, "cid")}) == 2
    assert len({encode(receipt) for receipt in await books.receipts(6, "cid")}) == 3
    assert await books.redis.xlen(keys.ENGAGED) == 0


async def test_what_failed_comes_first_again(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store fails when the log has it: the same worker goes on with what it holds."""
    await some(books, "dan")
    stream = Engaged(books.redis, "w")
    worker = Engage(books.producer, stream, books.settings.partitions)
    finish, failures = stream.finish, iter([ConnectionError("away")])

    async def failing(entries: Sequence[Entry]) -> None:
        for error in failures:
            raise error
        await finish(entries)
        raise _StoppedError

    monkeypatch.setattr(stream, "finish", failing)
    monkeypatch.setattr("streams.engage.PAUSE", 0)
    with pytest.raises(_StoppedError):
        await worker.run()
    assert await books.redis.xlen(keys.ENGAGED) == 0
    assert said(await books.events(4, "dan")) == [("dismiss", "dan-2"), ("read", "dan-1")]


class _StoppedError(BaseException):
    pass


async def test_an_emptied_store_costs_what_was_not_taken_and_no_more(books: Books) -> None:
    worker = books.worker("w")
    await some(books, "eve")
    await worker.once()
    await some(books, "flo")
    await books.redis.flushall()
    await books.redis.set(keys.STORE_READY, "rebuilt")
    assert await worker.once() == 0
    await some(books, "gus")
    assert await worker.once() == 3
    assert said(await books.events(4, "eve", "flo", "gus")) == [
        ("dismiss", "eve-2"), ("dismiss", "gus-2"), ("read", "eve-1"), ("read", "gus-1"),
    ]  # fmt: skip


async def test_of_whom_was_erased_nothing_is_written(books: Books) -> None:
    await some(books, "hal", "ida")
    await books.redis.delete(keys.profile("hal"))
    await books.worker("w").once()
    assert {event.user_id for event in await books.events(2, "hal", "ida")} == {"ida"}
    assert {receipt.user_id for receipt in await books.receipts(3, "hal", "ida")} == {"ida"}
    assert await books.redis.xlen(keys.ENGAGED) == 0


async def test_an_entry_nobody_can_read_stops_nothing(books: Books) -> None:
    for value in ("", "{", '{"kind":"sing","people":[]}'):
        await books.redis.xadd(keys.ENGAGED, {"e": value})
    await some(books, "jan")
    assert await books.worker("w").once() == 6
    assert said(await books.events(2, "jan")) == [("dismiss", "jan-2"), ("read", "jan-1")]


async def test_a_call_is_one_entry_and_nothing_is_acknowledged_twice(
    books: Books, redis: Redis
) -> None:
    everybody = [f"k{n}" for n in range(20)]
    written = await books.inbox.append([each for user in everybody for each in items(user, 1, 2)])
    acks = [(user, written[2 * i].epoch, 1) for i, user in enumerate(everybody)]
    await books.inbox.ack(acks)
    await books.inbox.ack(acks)
    assert await redis.xlen(keys.ENGAGED) == 1
    await books.inbox.ack([(user, epoch, 2) for user, epoch, _ in acks])
    await books.inbox.mark_read("k0", None)
    await books.inbox.mark_read("k0", None)
    entries = await Engaged(redis, "w").take(10, 1_000)
    assert [len(entry.deeds) for entry in entries] == [20, 20, 2]
    acked = [(d.user_id, d.notification_id) for e in entries[:2] for d in e.deeds]
    assert acked == [(user, f"{user}-{n}") for n in (1, 2) for user in everybody]


async def test_a_large_batch_of_acknowledgements_is_several_entries(books: Books) -> None:
    written = await books.inbox.append([e for u in range(12) for e in items(f"m{u}", *range(100))])
    await books.inbox.ack([(f"m{u}", written[100 * u].epoch, 100) for u in range(12)])
    entries = await Engaged(books.redis, "w").take(10, 1_000)
    assert [len(entry.deeds) for entry in entries] == [500, 500, 200]
