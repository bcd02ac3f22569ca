"""How the entities of a compacted topic come back into the store."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

from redis.asyncio import Redis

from streams.tally import Tally
from tocsin.errors import Invalid
from tocsin.log import Log
from tocsin.records import (
    Cancellation,
    Deferred,
    Profile,
    Subscription,
    Template,
    decode,
    decode_internal,
)
from tocsin.settings import Settings
from tocsin.store import Cancellations, Profiles, Subscriptions, Templates
from tocsin.store.schedule import Schedule

T = TypeVar("T")

Read = Callable[[type[T], bytes], T]
"""A record's value as an entity, or `Invalid`."""

BATCH: Final = 200
"""Entities stored in one call: a few milliseconds of the store, so that others are served too."""


@dataclass(frozen=True)
class Work:
    """One topic to restore: where from, where to, what to count; `rebuild` is the lease's token."""

    settings: Settings
    redis: Redis
    rebuild: str
    log: Log
    tally: Tally

    async def newest(
        self,
        kind: type[T],
        id_of: Callable[[T], str],
        rank_of: Callable[[T], int],
        store: Callable[[Sequence[T]], Awaitable[int]],
        read: Read[T] = decode,
    ) -> None:
        """Store what the log says last of each entity (see `Newest`); `store` answers how many were
        not so before. Called again it does the same with what has come since."""
        for partition in self.log.partitions:
            newest = Newest(kind, id_of, rank_of, read)
            async for records in self.log.read(partition):
                self.tally.saw(len(records))
                for record in records:
                    try:
                        newest.add(record)
                    except Invalid as error:
                        self.tally.skip(record, error)
            for batch in newest.batches(BATCH):
                self.tally.put(await store(batch))


class Newest(Generic[T]):
    """The live entities of one partition, as its records go by.

    Of two values of a key the one of higher rank counts, at equal rank the later one; a tombstone
    ends all before it. Kept as bytes: 650 MB for a million profiles of 400 bytes.
    """

    def __init__(
        self,
        kind: type[T],
        id_of: Callable[[T], str],
        rank_of: Callable[[T], int],
        read: Read[T] = decode,
    ) -> None:
        self._kind, self._id_of, self._rank_of, self._read = kind, id_of, rank_of, read
        self._live: dict[bytes, tuple[int, bytes]] = {}

    def add(self, record: Any) -> None:
        """The next record. Raises `Invalid` for one that is no such entity, or another's."""
        if record.value is None:
            self._live.pop(record.key, None)
            return
        entity = self._read(self._kind, record.value)
        if record.key != self._id_of(entity).encode():
            raise Invalid("", "the key is not the id of the value")
        rank, before = self._rank_of(entity), self._live.get(record.key)
        if before is None or before[0] <= rank:
            self._live[record.key] = (rank, record.value)

    def batches(self, size: int) -> Iterator[list[T]]:
        """All of them, and forget them."""
        values = [value for _, value in self._live.values()]
        self._live.clear()
        for start in range(0, len(values), size):
            yield [self._read(self._kind, value) for value in values[start : start + size]]


async def profiles(work: Work) -> None:
    """``profiles``: an older version never replaces a newer one."""
    store = partial(Profiles(work.redis).restore, rebuild=work.rebuild)
    await work.newest(Profile, attrgetter("user_id"), attrgetter("version"), store)


async def subscriptions(work: Work) -> None:
    """``subscriptions``: who waits is queued; what has ended once never waits again."""
    store = partial(Subscriptions(work.redis).restore, rebuild=work.rebuild)
    await work.newest(Subscription, attrgetter("subscription_id"), _ended, store)


async def templates(work: Work) -> None:
    """``templates``: an older revision never replaces a newer one."""
    store = Templates(work.redis)

    async def put(found: Sequence[Template]) -> int:
        return sum([await store.put(template) for template in found])

    await work.newest(Template, attrgetter("template_id"), attrgetter("revision"), put)


async def cancellations(work: Work) -> None:
    """``cancellations``, each for what is left of its time."""
    store = Cancellations(work.redis)

    async def put(found: Sequence[Cancellation]) -> int:
        await store.restore(*found)
        return len(found)

    await work.newest(Cancellation, attrgetter("notification_id"), _same, put)


async def schedule(work: Work) -> None:
    """``schedule``: what has no tombstone yet waits for its hour; what is over it, not for long."""
    store = Schedule(work.redis)

    async def put(found: Sequence[Deferred]) -> int:
        await store.put([entry for entry in found if not entry.digest])
        await store.collect([entry for entry in found if entry.digest])
        return len(found)

    # what was let in has grown by what was written around it
    await work.newest(Deferred, attrgetter("schedule_id"), _same, put, decode_internal)


def _same(_: object) -> int:
    """No rank: the later record counts."""
    return 0


def _ended(subscription: Subscription) -> int:
    return int(subscription.state != "waiting")
