"""The writer's loop: take, freeze, plan, insert, commit.

    crash before the plan     nothing was sent: the records are read again
    crash after the plan      the same block is made from its plan and sent with the same token
    crash after the insert    the same, and ClickHouse drops it
    partition moved away      its new owner finds the plan and does the same

There is no other state: what was taken and not yet planned is simply forgotten.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import ConsumerRecord
from clickhouse_connect.driver import AsyncClient

from analytics.writer.block import Range, Taken
from analytics.writer.forgotten import Forgotten
from analytics.writer.plans import Plans
from analytics.writer.reread import record_of, reread
from analytics.writer.sink import GaveUp, Sink
from tocsin.groups import ANALYTICS, READS
from tocsin.metrics import CONSUMED
from tocsin.observability.progress import PROGRESS, WORK_SECONDS
from tocsin.settings import Settings
from tocsin.topics import OUTCOMES

BLOCK_BYTES: Final = 8 << 20
"""About 20,000 outcomes: 10,000 rows in each of two tables."""

BLOCK_SECONDS: Final = 1.0
_POLL_RECORDS: Final = 500
_IDLE_MS: Final = 200
log = logging.getLogger("tocsin.writer")


class Writer(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of the group. `run` works until `stop` is set and then writes what it took.
    `forgotten` says what the eraser has to do about that."""

    def __init__(
        self,
        settings: Settings,
        consumer: AIOKafkaConsumer,
        client: AsyncClient,
        stop: asyncio.Event,
    ) -> None:
        self._settings, self._consumer, self._stop = settings, consumer, stop
        self.forgotten = Forgotten()
        self._plans = Plans(client)
        self._sink = Sink(client, self._pass_time, self.forgotten.wrote)
        self._moved = True
        self._next: dict[TopicPartition, int] = {}
        self._taken: dict[str, Taken] = {}
        self._since = 0.0
        self._part = PROGRESS.part("writer", WORK_SECONDS, needs_log=True)

    @property
    def calm(self) -> asyncio.Lock:
        """Held, no insert of this writer is half done."""
        return self._sink.calm

    def leads(self) -> bool:
        """Whether this is the member of the group that does what one of them is enough for."""
        return TopicPartition(OUTCOMES.name, 0) in self._consumer.assignment()

    def subscribe(self) -> None:
        """To every topic of the group, and to hear when partitions move."""
        self._consumer.subscribe([topic.name for topic in READS[ANALYTICS]], listener=self)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """What was taken belongs to somebody else now."""
        self._moved = True

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin again from what is committed and planned."""
        self._moved = True

    async def run(self) -> None:
        """Returns after `stop`, everything taken written and committed, or left in Kafka."""
        try:
            while not self._stop.is_set():
                await self._turn()
            if not self._moved:
                await self._write()
        except GaveUp:
            log.warning("stopped while ClickHouse is away: the rest stays in Kafka")

    async def recover(self) -> None:
        """Finish what was planned for the partitions that are ours now, and start after it."""
        self._moved, self._taken, self._next = False, {}, {}
        places = list(self._consumer.assignment())
        plans = await self._sink.insist(self._plans.latest) if places else {}
        starts = await self._starts(places)
        pending = {
            (place.topic, plans[place].ranges)
            for place in places
            if place in plans and plans[place].start == starts[place]
        }
        for topic, ranges in sorted(pending):
            starts |= await self._finish(topic, ranges, starts)
        if not self._moved:
            for place, start in starts.items():
                self._consumer.seek(place, start)
            self._next = starts

    async def _turn(self) -> None:
        self._part.moved()
        if self._moved:
            await self.recover()
        batch = await self._consumer.getmany(timeout_ms=self._patience(), max_records=_POLL_RECORDS)
        if self._moved:
            return
        for place, messages in batch.items():
            self._take(place, messages)
        if self._taken and self._is_due():
            await self._write()

    def _take(self, place: TopicPartition, messages: list[ConsumerRecord]) -> None:
        if not self._taken:
            self._since = time.monotonic()
        taken = self._taken.setdefault(place.topic, Taken(place.topic))
        taken.add(self._next[place], [record_of(message) for message in messages])
        self._next[place] = messages[-1].offset + 1

    def _is_due(self) -> bool:
        full = sum(taken.bytes for taken in self._taken.values()) >= BLOCK_BYTES
        return full or time.monotonic() - self._since >= BLOCK_SECONDS

    def _patience(self) -> int:
        if not self._taken:
            return _IDLE_MS
        left = self._since + BLOCK_SECONDS - time.monotonic()
        return max(0, min(_IDLE_MS, int(left * 1000)))

    async def _write(self) -> None:
        blocks = [taken.freeze() for taken in self._taken.values()]
        self._taken = {}
        if not blocks:
            return
        await self._sink.plan(blocks)
        await self._sink.insert(blocks)
        await self._commit(
            {TopicPartition(b.topic, r.partition): r.end for b in blocks for r in b.ranges}
        )
        for block in blocks:
            CONSUMED.labels(block.topic).inc(len(block.records))

    async def _commit(self, ends: dict[TopicPartition, int]) -> None:
        """Commit, unless the partitions moved meanwhile: their new owner has the plan."""
        try:
            if ends and not self._moved:
                await self._consumer.commit(ends)
        except (CommitFailedError, IllegalStateError):
            self._moved = True

    async def _starts(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        committed = await asyncio.gather(*(self._consumer.committed(p) for p in places))
        first = await self._consumer.beginning_offsets(places)
        return {
            place: first[place] if at is None else at
            for place, at in zip(places, committed, strict=True)
        }

    async def _finish(
        self, topic: str, ranges: tuple[Range, ...], starts: dict[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        block = await reread(self._settings, topic, ranges)
        if block is None:
            return {}
        await self._sink.insert([block])
        ours = {TopicPartition(topic, r.partition): r for r in ranges}
        ends = {p: r.end for p, r in ours.items() if starts.get(p) == r.start}
        await self._commit(ends)
        log.info("finished the block planned before: %s %s", topic, block.plan)
        return ends

    async def _pass_time(self, seconds: float) -> bool:
        """Wait for ClickHouse while staying a member of the group, taking nothing."""
        if self._stop.is_set():
            return False
        self._consumer.pause(*self._consumer.assignment())
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stop.is_set():
            self._part.moved()
            await self._consumer.getmany(timeout_ms=min(_IDLE_MS, int(left * 1000) + 1))
        self._consumer.resume(*self._consumer.assignment())
        return True
