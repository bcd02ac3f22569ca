"""What people did with their inbox items, on its way to the books.

The scripts of the inbox append it to a stream, in the step in which it happens; streams/engage.py
takes it from there. The stream is bounded (lua/engaged.lua), and in Redis alone: emptied, it has
lost what was not taken yet.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from tocsin.store import keys

GROUP: Final = "books"
DEAD_MS: Final = 30_000
"""Whoever holds an entry for so long is taken to have died."""

_IDLE_MS: Final = 600_000
"""A consumer that holds nothing and has asked for nothing for so long is forgotten."""

_PER_ITEM: Final = 3

Kind = Literal["read", "dismiss", "ack"]


class Deed(NamedTuple):
    """What one person did with one item, when. `accepted_at` is the notification's, as text."""

    kind: Kind
    user_id: str
    notification_id: str
    type: str
    accepted_at: str
    at: datetime


class Entry(NamedTuple):
    """One entry of the stream; no deeds when it cannot be read."""

    id: bytes
    deeds: list[Deed]


class _Event(msgspec.Struct):
    kind: Kind
    people: list[tuple[str, list[str]]]


_events: Final = msgspec.json.Decoder(_Event)


class Engaged:
    """The stream as one consumer of its group sees it; `consumer` must be nobody else's name."""

    def __init__(self, client: Redis, consumer: str, dead_ms: int = DEAD_MS) -> None:
        self._client, self._consumer, self._dead_ms = client, consumer, dead_ms

    async def take(self, most: int, wait_ms: int) -> list[Entry]:
        """Up to `most` entries that nobody has taken, after up to `wait_ms` if there are none."""
        return await self._read(">", most, wait_ms)

    async def held(self, most: int) -> list[Entry]:
        """What this consumer took and has not finished, the oldest first."""
        return await self._read("0", most, None)

    async def inherit(self, most: int) -> list[Entry]:
        """Take over what others took and, dead by now, did not finish; forget who left nothing."""
        await self._begin()
        found = await self._client.xautoclaim(
            keys.ENGAGED, GROUP, self._consumer, min_idle_time=self._dead_ms, count=most
        )
        for consumer in await self._client.xinfo_consumers(keys.ENGAGED, GROUP):
            if not consumer["pending"] and consumer["idle"] > _IDLE_MS:
                await self._client.xgroup_delconsumer(keys.ENGAGED, GROUP, consumer["name"])
        return [_entry(*each) for each in found[1]]

    async def finish(self, entries: Sequence[Entry]) -> None:
        """These are in the log: they leave the stream."""
        if entries:
            ids = [entry.id for entry in entries]
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.xack(keys.ENGAGED, GROUP, *ids)
                pipe.xdel(keys.ENGAGED, *ids)
                await pipe.execute()

    async def waiting(self) -> int:
        """Entries in the stream."""
        return int(await self._client.xlen(keys.ENGAGED))

    async def erased(self, user_ids: Sequence[str]) -> set[str]:
        """Those of them who are not registered (any more)."""
        async with self._client.pipeline(transaction=False) as pipe:
            for user_id in user_ids:
                pipe.exists(keys.profile(user_id))
            there = await pipe.execute()
        return {user_id for user_id, found in zip(user_ids, there, strict=True) if not found}

    async def _read(self, after: str, most: int, wait_ms: int | None) -> list[Entry]:
        try:
            return await self._group(after, most, wait_ms)
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
        await self._begin()
        return await self._group(after, most, wait_ms)

    async def _group(self, after: str, most: int, wait_ms: int | None) -> list[Entry]:
        found: Any = await self._client.xreadgroup(
            GROUP, self._consumer, {keys.ENGAGED: after}, count=most, block=wait_ms
        )
        return [_entry(*each) for pages in found.values() for page in pages for each in page]

    async def _begin(self) -> None:
        """Have the group, from the stream's beginning: an emptied store has neither."""
        try:
            await self._client.xgroup_create(keys.ENGAGED, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


def _entry(name: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    try:
        event = _events.decode(fields.get(b"e", b""))
    except msgspec.MsgspecError:
        return Entry(name, [])
    at = datetime.fromtimestamp(int(name.partition(b"-")[0]) / 1000, UTC)
    return Entry(name, list(_deeds(event, at)))


def _deeds(event: _Event, at: datetime) -> Iterator[Deed]:
    for user_id, parts in event.people:
        # in threes, as lua/engaged.lua lays them down
        for notification_id, kind, accepted_at in zip(*[iter(parts)] * _PER_ITEM, strict=False):
            yield Deed(event.kind, user_id, notification_id, kind, accepted_at, at)
