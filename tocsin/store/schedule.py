"""What waits for its hour: a view of the ``schedule`` topic, ordered by when it is due.

Due is due by the store's own clock, whatever the hosts believe. Whoever takes an entry holds it
for a while; `done` forgets it, and if nobody says so it is taken again: late rather than never, and
what was sent already is recognised by its id.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from msgspec.structs import replace
from redis.asyncio import Redis

from tocsin.errors import Invalid
from tocsin.ids import derived_id
from tocsin.records import LANES, Deferred, Lane, decode_internal, encode, lane_of
from tocsin.store import keys
from tocsin.store.client import raw, script

log = logging.getLogger(__name__)

LEASE_MS: Final = 30_000
"""From being taken to being on ``schedule.due``."""

HOLD_MS: Final = 15 * 60_000
"""From being on ``schedule.due`` to being woken; beyond it, it is put there again."""

BUCKET: Final = 500
"""Entries in one digest; the next ones open another."""


class Taken(NamedTuple):
    """What is due now, and in how many milliseconds the next one is (None: nothing waits)."""

    due: list[Deferred]
    next_ms: int | None


class Schedule:
    """Every method is one call a lane, for any number of entries, but `hasten`."""

    def __init__(self, client: Redis, bucket: int = BUCKET) -> None:
        self._client, self._bucket = client, str(bucket)
        self._put = script(client, "schedule_put")
        self._collect = script(client, "schedule_collect")
        self._take = script(client, "schedule_take")
        self._hold = script(client, "schedule_hold")
        self._done = script(client, "schedule_done")

    async def put(self, entries: Sequence[Deferred]) -> None:
        """Let these wait until their `due_at`; one that waits already waits until that instead."""
        for lane, of_lane in _by_lane(entries):
            names = [keys.schedule(lane), keys.schedule_leased(lane), keys.SCHEDULE_ITEMS]
            args: list[str | bytes | int] = []
            for entry in of_lane:
                names.append(keys.user_scheduled(entry.request.user_id))
                args += (entry.schedule_id, _millis(entry.due_at), encode(entry))
            await self._put(keys=names, args=args)

    async def collect(self, entries: Sequence[Deferred]) -> list[Deferred | None]:
        """Add entries to the digests that collect for their person, category and channel; returns
        them with their `digest` and its `due_at`, which is the first one's. None for one that was
        told in a digest before: it came again, and has ended."""
        found: dict[str, Deferred | None] = {}
        for lane, of_lane in _by_lane(entries):
            found |= await self._collected(lane, of_lane)
        return [found[entry.schedule_id] for entry in entries]

    async def _collected(
        self, lane: Lane, entries: Sequence[Deferred]
    ) -> dict[str, Deferred | None]:
        names = [keys.schedule(lane), keys.SCHEDULE_BUCKETS]
        args: list[str | bytes | int] = [self._bucket]
        for entry in entries:
            user_id, channel = entry.request.user_id, "+".join(entry.channels)
            names += (
                keys.digest_open(user_id, f"{lane}:{entry.category}", channel),
                keys.user_scheduled(user_id),
            )
            due = _millis(entry.due_at)
            bucket = entry.digest or derived_id("digest", entry.schedule_id, str(due))
            args += (entry.schedule_id, due, encode(entry), bucket, int(bool(entry.digest)))
        found = await self._collect(keys=names, args=args)
        return {
            entry.schedule_id: _placed(entry, bucket.decode(), float(due))
            for entry, bucket, due in zip(entries, found[::2], found[1::2], strict=True)
        }

    async def take(self, lane: Lane, most: int) -> Taken:
        """What is due in a lane, about `most` entries (a digest is not cut), held for LEASE_MS. One
        that cannot be read is left out, and is in the log for people to look at."""
        names = [keys.schedule(lane), keys.schedule_leased(lane), keys.SCHEDULE_ITEMS]
        wait, *found = await self._take(keys=names, args=[most, LEASE_MS])
        due = [
            entry
            for bucket, item in zip(found[::2], found[1::2], strict=True)
            if (entry := _read(item, bucket.decode()))
        ]
        return Taken(due, None if wait < 0 else int(wait))

    async def hold(self, entries: Sequence[Deferred]) -> None:
        """These are in the log to be woken: nobody need take them for HOLD_MS."""
        for lane, of_lane in _by_lane(entries):
            members = dict.fromkeys(_member(entry) for entry in of_lane)
            await self._hold(keys=[keys.schedule_leased(lane)], args=[HOLD_MS, *members])

    async def done(self, entries: Sequence[Deferred]) -> None:
        """Forget these, but not one that was put again since it was taken."""
        for lane, of_lane in _by_lane(entries):
            names = [
                keys.schedule(lane), keys.SCHEDULE_ITEMS, keys.SCHEDULE_BUCKETS,
                keys.schedule_leased(lane),
                *(keys.user_scheduled(entry.request.user_id) for entry in of_lane),
            ]  # fmt: skip
            await self._done(keys=names, args=[entry.schedule_id for entry in of_lane])

    async def waiting(self) -> int:
        """How many entries wait, those collected for a digest included."""
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hlen(keys.SCHEDULE_ITEMS)
            pipe.hlen(keys.SCHEDULE_BUCKETS)
            return sum(await pipe.execute())

    async def hasten(self, user_id: str, notification_id: str | None = None) -> int:
        """Make what waits for a person (of one notification, or all) due now: it was cancelled, or
        the person is gone. How many that were; a collected one is looked at with its digest,
        which is due now only for a person who is gone."""
        members = raw(list(await self._client.smembers(keys.user_scheduled(user_id))))
        ids = [member.decode() for member in members if member]
        if notification_id is not None:
            # an id may have colons of its own, and be the beginning of another one
            ids = [each for each in ids if each.rpartition(":")[0] == notification_id]
        if not ids:
            return 0
        due = [*ids, *(await self._digests(ids) if notification_id is None else ())]
        now: Mapping[str, int] = dict.fromkeys(due, 0)
        async with self._client.pipeline(transaction=False) as pipe:
            for lane in LANES:
                pipe.zadd(keys.schedule(lane), dict(now), xx=True)
            await pipe.execute()
        return len(ids)

    async def _digests(self, ids: Sequence[str]) -> list[str]:
        found = raw(await self._client.hmget(keys.SCHEDULE_BUCKETS, list(ids)))
        return [f"digest|{bucket.decode()}" for bucket in found if bucket]

    async def size(self) -> int:
        """How many entries and digests wait."""
        return sum([await self._client.zcard(keys.schedule(lane)) for lane in LANES])


def _member(entry: Deferred) -> str:
    return f"digest|{entry.digest}" if entry.digest else entry.schedule_id


def _by_lane(entries: Sequence[Deferred]) -> list[tuple[Lane, list[Deferred]]]:
    found: dict[Lane, list[Deferred]] = {}
    for entry in entries:
        found.setdefault(lane_of(entry.request.priority), []).append(entry)
    return list(found.items())


def _read(item: bytes, bucket: str) -> Deferred | None:
    try:
        entry = decode_internal(Deferred, item)
    except Invalid as error:
        log.error("an entry of the schedule cannot be read: %s", error)
        return None
    return replace(entry, digest=bucket) if bucket else entry


def _placed(entry: Deferred, bucket: str, due: float) -> Deferred | None:
    if not bucket:
        return None
    return replace(entry, digest=bucket, due_at=_instant(due, entry.due_at))


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _instant(millis: float, like: datetime) -> datetime:
    return datetime.fromtimestamp(millis / 1000, like.tzinfo)
