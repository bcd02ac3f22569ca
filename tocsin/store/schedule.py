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
from tocsin.records import Deferred, decode_internal, encode
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
    """Every method is one call, for any number of entries, but `hasten`."""

    def __init__(self, client: Redis, bucket: int = BUCKET) -> None:
        self._client, self._bucket = client, str(bucket)
        self._put = script(client, "schedule_put")
        self._collect = script(client, "schedule_collect")
        self._take = script(client, "schedule_take")
        self._hold = script(client, "schedule_hold")
        self._done = script(client, "schedule_done")

    async def put(self, entries: Sequence[Deferred]) -> None:
        """Let these wait until their `due_at`; one that waits already waits until that instead."""
        if not entries:
            return
        names = [keys.SCHEDULE, keys.SCHEDULE_LEASED, keys.SCHEDULE_ITEMS]
        args: list[str | bytes | int] = []
        for entry in entries:
            names.append(keys.user_scheduled(entry.request.user_id))
            args += (entry.schedule_id, _millis(entry.due_at), encode(entry))
        await self._put(keys=names, args=args)

    async def collect(self, entries: Sequence[Deferred]) -> list[Deferred]:
        """Add entries to the digests that collect for their person, category and channel; returns
        them with their `digest` and its `due_at`, which is the first one's."""
        if not entries:
            return []
        names = [keys.SCHEDULE, keys.SCHEDULE_BUCKETS]
        args: list[str | bytes | int] = [self._bucket]
        for entry in entries:
            user_id = entry.request.user_id
            channel = "+".join(entry.channels)
            names += (
                keys.digest_open(user_id, entry.category, channel),
                keys.user_scheduled(user_id),
            )
            due = _millis(entry.due_at)
            bucket = entry.digest or derived_id("digest", entry.schedule_id, str(due))
            args += (entry.schedule_id, due, encode(entry), bucket, int(bool(entry.digest)))
        found = await self._collect(keys=names, args=args)
        return [
            replace(entry, digest=bucket.decode(), due_at=_instant(float(due), entry.due_at))
            for entry, bucket, due in zip(entries, found[::2], found[1::2], strict=True)
        ]

    async def take(self, most: int) -> Taken:
        """What is due, at most `most` (a digest counts once), held for LEASE_MS. One that cannot be
        read stops no other: it is said and stays, for a version of Tocsin that can."""
        names = [keys.SCHEDULE, keys.SCHEDULE_LEASED, keys.SCHEDULE_ITEMS]
        wait, *found = await self._take(keys=names, args=[most, LEASE_MS])
        read = [_read(item, bucket) for bucket, item in zip(found[::2], found[1::2], strict=True)]
        return Taken([entry for entry in read if entry], None if wait < 0 else int(wait))

    async def hold(self, entries: Sequence[Deferred]) -> None:
        """These are in the log to be woken: nobody need take them for HOLD_MS."""
        if entries:
            members = dict.fromkeys(_member(entry) for entry in entries)
            await self._hold(keys=[keys.SCHEDULE_LEASED], args=[HOLD_MS, *members])

    async def done(self, entries: Sequence[Deferred]) -> None:
        """Forget these, but not one that was put again since it was taken."""
        if not entries:
            return
        names = [
            keys.SCHEDULE, keys.SCHEDULE_ITEMS, keys.SCHEDULE_BUCKETS, keys.SCHEDULE_LEASED,
            *(keys.user_scheduled(entry.request.user_id) for entry in entries),
        ]  # fmt: skip
        await self._done(keys=names, args=[entry.schedule_id for entry in entries])

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
        await self._client.zadd(keys.SCHEDULE, dict(now), xx=True)
        return len(ids)

    async def _digests(self, ids: Sequence[str]) -> list[str]:
        found = raw(await self._client.hmget(keys.SCHEDULE_BUCKETS, list(ids)))
        return [f"digest|{bucket.decode()}" for bucket in found if bucket]

    async def size(self) -> int:
        """How many entries and digests wait."""
        return int(await self._client.zcard(keys.SCHEDULE))


def _member(entry: Deferred) -> str:
    return f"digest|{entry.digest}" if entry.digest else entry.schedule_id


def _read(item: bytes, bucket: bytes) -> Deferred | None:
    try:
        entry = decode_internal(Deferred, item)
    except Invalid as error:
        log.error("an entry of the schedule cannot be read: %s", error)
        return None
    return replace(entry, digest=bucket.decode()) if bucket else entry


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _instant(millis: float, like: datetime) -> datetime:
    return datetime.fromtimestamp(millis / 1000, like.tzinfo)
