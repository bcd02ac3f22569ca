"""The fan-out agents: a broadcast becomes pages of people, a page becomes their requests."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace
from redis.asyncio import Redis

from streams.address import Address
from streams.bury import Bury
from streams.consume import Consume, Record
from streams.mind import Mind
from streams.segment import within
from tocsin.errors import EngineUnavailable, Invalid
from tocsin.kafka import PLACE_HEADER, partition_for
from tocsin.records import Broadcast, Page, decode, decode_internal, encode, lane_of
from tocsin.settings import Settings
from tocsin.store import Audiences, Broadcasts, Profiles
from tocsin.store.audience import Verdict
from tocsin.store.broadcasts import Claimed
from tocsin.store.present import Present
from tocsin.templates import Wanted
from tocsin.topics import BROADCASTS, PAGES, REQUESTS_BY_LANE

log = logging.getLogger(__name__)

_AT_ONCE: Final = datetime.min.replace(tzinfo=UTC)

HOLD: Final = 300.0
"""Seconds that a broadcast is waited for; one that is not due by then goes round again."""

MOST: Final = 5_000
"""People on a page."""


def consumers(
    settings: Settings,
    producer: AIOKafkaProducer,
    redis: Redis,
    bury: Bury,
    mind: Mind,
) -> tuple[Consume, Consume]:
    """What a worker needs for broadcasts."""
    begin = Begin(producer, Broadcasts(redis), bury, mind, settings.partitions)
    fan_out = FanOut(producer, redis, mind, settings)
    return (
        Consume(BROADCASTS, begin, bury, depth=64),
        # one by one: the pages of several broadcasts take turns, and none waits for another's
        Consume(PAGES, fan_out, bury, within=0),
    )


class _Held(NamedTuple):
    broadcast: Broadcast
    record: Record

    @property
    def due_at(self) -> datetime:
        """At once, unless it says when: no other clock than the store's has a say in it."""
        return self.broadcast.send_at or _AT_ONCE


class Begin:
    """Work for ``broadcasts``: claims each for the record that brought it, holds it until
    `send_at`, and puts its first page on ``broadcasts.pages``.

    What is not due within `hold` seconds goes to the end of its topic again, under the place it had
    first. A crash while holding forgets nothing: the record is unacknowledged and is read again.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        broadcasts: Broadcasts,
        bury: Bury,
        mind: Mind,
        partitions: int,
        hold: float = HOLD,
    ) -> None:
        self._producer, self._broadcasts, self._bury = producer, broadcasts, bury
        self._choose, self._clock = mind.choose, mind.clock
        self._partitions, self._hold = partitions, hold

    async def __call__(self, records: Sequence[Record]) -> None:
        """Durable when it returns: first pages, records put back, letters of what is wrong."""
        read = [held for record in records for held in await self._broadcast(record)]
        waiting = sorted(await self._claimed(read), key=lambda held: held.due_at)
        until = self._clock.now().timestamp() + self._hold
        while waiting:
            now = self._clock.now()
            due = [held for held in waiting if held.due_at <= now]
            await asyncio.gather(*(self._first_page(held.broadcast) for held in due))
            waiting = waiting[len(due) :]
            if now.timestamp() >= until:
                await asyncio.gather(*(self._put_back(held) for held in waiting))
                return
            if waiting:
                soonest = min(waiting[0].due_at.timestamp(), until) - now.timestamp()
                await asyncio.sleep(max(soonest, 0.01))

    async def _broadcast(self, record: Record) -> list[_Held]:
        try:
            broadcast = decode(Broadcast, record.value)
            broadcast.check(len(encode(broadcast)))
            # now and once, or a wrong one would be a dead letter for each of its people
            wanted = Wanted(
                broadcast.type, broadcast.template_id, broadcast.template_version, broadcast.data
            )
            name, version = await self._choose.one(wanted)
            pinned = replace(broadcast, template_id=name, template_version=version)
            return [_Held(pinned, record)]
        except Invalid as error:
            await self._bury.one(*record[:4], error)
            return []

    async def _claimed(self, read: Sequence[_Held]) -> list[_Held]:
        brought = [(held.broadcast.broadcast_id, held.record.place) for held in read]
        found = await self._broadcasts.claim(brought, self._clock.now())
        for (broadcast_id, place), claimed in zip(brought, found, strict=True):
            if claimed is not Claimed.MINE:
                log.info("broadcast %s at %s is left: %s", broadcast_id, place, claimed)
        mine = zip(read, found, strict=True)
        return [held for held, claimed in mine if claimed is Claimed.MINE]

    async def _first_page(self, broadcast: Broadcast) -> None:
        await _send_page(self._producer, Page(broadcast), self._partitions)

    async def _put_back(self, held: _Held) -> None:
        await self._producer.send_and_wait(
            BROADCASTS.name,
            held.record.value,
            key=held.broadcast.broadcast_id.encode(),
            partition=held.record.partition,
            headers=[(PLACE_HEADER, held.record.place.encode())],
        )


class FanOut:
    """Work for ``broadcasts.pages``: the requests of one page of people, then the next page.

    Both are durable in this order before the record is acknowledged, so a death anywhere repeats
    one page, whose requests have the ids they had; the router drops what came twice. Of two
    records with the same page (a death came after it was written) the first one begun goes on.
    """

    def __init__(
        self,
        producer: AIOKafkaProducer,
        redis: Redis,
        mind: Mind,
        settings: Settings,
        most: int = MOST,
    ) -> None:
        self._producer, self._clock, self._rules = producer, mind.clock, mind.rules
        self._settings, self._most = settings, most
        self._audiences, self._broadcasts = Audiences(redis), Broadcasts(redis)
        self._profiles, self._present = Profiles(redis), Present(redis)

    async def __call__(self, records: Sequence[Record]) -> None:
        """Raises `Invalid` for what is not a page, and `EngineUnavailable` while the store does not
        hold everybody: then waiting is the only way to leave nobody out."""
        for record in records:
            await self._page(decode_internal(Page, record.value), record.place)

    async def _page(self, page: Page, place: str) -> None:
        now = self._clock.now()
        verdict, user_ids = await self._audiences.page(page, place, self._most, now)
        if verdict is Verdict.EMPTIED:
            where = self._settings.redis_url.get_secret_value().rsplit("@", 1)[-1]
            raise EngineUnavailable("Redis", where, "it was emptied; run `tocsin rebuild`")
        if verdict is not Verdict.GO:
            log.info("page %d of %s: %s", page.number, page.broadcast.broadcast_id, verdict)
            return
        chosen = await self._chosen(page.broadcast, user_ids)
        await self._tell(page.broadcast, chosen)
        looked_at, told = page.looked_at + len(user_ids), page.told + len(chosen)
        if len(user_ids) < self._most:
            await self._broadcasts.end(page, place, looked_at, told, self._clock.now())
            return
        following = Page(page.broadcast, user_ids[-1], page.number + 1, looked_at, told)
        await _send_page(self._producer, following, self._settings.partitions)

    async def _chosen(self, broadcast: Broadcast, user_ids: Sequence[str]) -> Sequence[str]:
        """Those who pass. Who was erased since the page was read is left out."""
        segment = broadcast.audience.segment
        if broadcast.audience.connected:
            user_ids = await self._present.connected(user_ids)
        if not segment:
            return user_ids
        profiles = await self._profiles.get_many(user_ids)
        return [profile.user_id for profile in profiles if profile and within(profile, segment)]

    async def _tell(self, broadcast: Broadcast, user_ids: Sequence[str]) -> None:
        topic = REQUESTS_BY_LANE[lane_of(broadcast.priority)].name
        address = Address(broadcast, self._rules, self._settings.partitions)
        acks = []
        for user_id in user_ids:
            if full := address.to(user_id):
                # waits for room in the producer, so that large words do not pile up in memory
                acks.append(await self._producer.send(topic, full[1], partition=full[0]))
                await asyncio.sleep(0)  # the router shares this loop, and a page is milliseconds
        for partition, value in address.rest():
            acks.append(await self._producer.send(topic, value, partition=partition))
        await asyncio.gather(*acks)


async def _send_page(producer: AIOKafkaProducer, page: Page, partitions: int) -> None:
    broadcast_id = page.broadcast.broadcast_id
    await producer.send_and_wait(
        PAGES.name,
        encode(page),
        key=broadcast_id.encode(),
        partition=partition_for(broadcast_id, partitions),
    )
