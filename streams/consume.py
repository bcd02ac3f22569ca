"""The one way records are consumed here: nothing is acknowledged before its effect is durable.

Faust acknowledges in a ``finally`` (a batch whose handler raised is gone), commits past a single
unacknowledged record, and drops what an agent held when it restarts. What lost nothing through
kill -9, SIGTERM and rebalances: `noack_take`, each batch's work as a task in a bounded queue, and
one acker that awaits the tasks in arrival order, so that acknowledged offsets are always a prefix.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, NoReturn

import faust
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from redis.exceptions import (
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from streams.app import raw_topic
from streams.bury import Bury
from tocsin.errors import EngineUnavailable, Invalid
from tocsin.kafka import PLACE_HEADER
from tocsin.metrics import BATCH_SECONDS, CONSUMED, DEAD_LETTERS, QUEUE_DEPTH
from tocsin.observability.progress import AT_WORK, PROGRESS, WORK_SECONDS
from tocsin.topics import Topic

log = logging.getLogger(__name__)

OUTAGE = (EngineUnavailable, RedisError, KafkaError, OSError, TimeoutError)
"""What says nothing about a record: the batch is tried again until the engine is back."""

_PASSING = (ReadOnlyError, OutOfMemoryError, TryAgainError, ClusterDownError, MasterDownError)
"""What a store answers while it cannot serve, and will again."""

EX_SOFTWARE = 70


class Record(NamedTuple):
    """One Kafka record. `at` is when the broker or producer stamped it (UTC).

    `origin` is the place a record was put back from (a dead letter, the spool of an in-memory log).
    """

    topic: str
    partition: int
    offset: int
    value: bytes
    at: datetime
    origin: str = ""

    @property
    def place(self) -> str:
        """``topic:partition:offset``: the same whenever this record is read, also put back."""
        return self.origin or f"{self.topic}:{self.partition}:{self.offset}"


Work = Callable[[Sequence[Record]], Awaitable[None]]


class Consume:
    """Feeds one topic's records to `work`, which returns when their effects are durable.

    `work` must be idempotent: it sees a record again after a crash. It may raise an outage (the
    same records come again after a pause) or `Invalid` / any bug, which is narrowed down to the
    record at fault; that one goes to ``notification.dead`` and the partition goes on.

    At most `depth` batches of `most` records are at work. `within` is how long a batch waits for
    more records; 0 feeds records one by one as they come (for latency). Batches at work none of
    which moves for `patience` seconds make the process fail its liveness: a try that met an outage
    is a move, and so is waiting for an actor.
    """

    def __init__(
        self,
        topic: Topic,
        work: Work,
        bury: Bury,
        *,
        most: int = 100,
        within: float = 0.02,
        depth: int = 4,
        patience: float = WORK_SECONDS,
    ) -> None:
        self.topic, self._work, self._bury = topic, work, bury
        self._most, self._within = most, within
        self._queue: asyncio.Queue[tuple[asyncio.Task[None], list[Any]]] = asyncio.Queue(depth)
        self._acker: asyncio.Task[None] | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._unfinished = 0
        self.acknowledged = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._part = PROGRESS.part(
            f"consumer of {topic.name}", patience, lambda: not self.idle, needs_log=True
        )
        # there from the start: Prometheus sees no increase in a series that begins with a letter
        DEAD_LETTERS.labels(topic.name)

    def attach(self, app: faust.App) -> None:
        """Register as an agent of `app`."""

        async def agent(stream: Any) -> None:
            await self._feed(stream)

        agent.__name__ = f"consume_{self.topic.name.replace('.', '_')}"
        app.agent(raw_topic(app, self.topic.name), name=agent.__name__, concurrency=1)(agent)

    @property
    def idle(self) -> bool:
        """Whether nothing taken is still at work."""
        return self._idle.is_set()

    async def drain(self, seconds: float) -> bool:
        """Take no more, and wait until what was taken is acknowledged. False when time ran out."""
        self._open.clear()
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _feed(self, stream: Any) -> None:
        if self._acker is None:
            self._acker = asyncio.create_task(self._acknowledge(stream))
        try:
            async for events in self._batches(stream):
                await self._open.wait()
                self._part.moved()
                self._unfinished += 1
                self._idle.clear()
                records = [_record(event) for event in events]
                task = asyncio.create_task(self._until_durable(records))
                await self._queue.put((task, events))
                QUEUE_DEPTH.labels(self.topic.name).set(self._queue.qsize())
        except Exception:
            # Unwinding would let Faust acknowledge what it holds. Dying loses nothing.
            die(f"the consumer of {self.topic.name} failed")

    async def _batches(self, stream: Any) -> AsyncIterator[list[Any]]:
        if self._within:
            async for events in stream.noack_take(self._most, within=self._within):
                yield events
        else:
            async for event in stream.noack().events():
                yield [event]

    async def _acknowledge(self, stream: Any) -> None:
        while True:
            task, events = await self._queue.get()
            try:
                await task
                for event in events:
                    await stream.ack(event)
            except Exception:
                die(f"a batch of {self.topic.name} could not be acknowledged")
            self._part.moved()
            self._unfinished -= 1
            if not self._unfinished:
                self._idle.set()
            self.acknowledged += len(events)
            CONSUMED.labels(self.topic.name).inc(len(events))

    async def _until_durable(self, records: list[Record]) -> None:
        AT_WORK.set(self._part)  # of this task and of those it starts
        with BATCH_SECONDS.labels(self.topic.name).time():
            try:
                await self._through_outages(records)
            except Exception as error:
                await self._narrow_down(records, error)

    async def _through_outages(self, records: Sequence[Record]) -> None:
        pause = 0.1
        while True:
            try:
                await self._work(records)
                self._part.moved()
                return
            except MessageSizeTooLargeError:
                raise  # says something about a record, and no waiting makes it smaller
            except OUTAGE as error:
                self._part.moved()
                if isinstance(error, ResponseError) and not isinstance(error, _PASSING):
                    raise  # the store answered: it is the data, and waiting changes nothing
                if pause == 0.1:
                    log.warning("%s waits: %s: %s", self.topic.name, type(error).__name__, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)

    async def _narrow_down(self, records: Sequence[Record], error: Exception) -> None:
        """One of `records` cannot be used: find it by halving, bury it, go on with the rest."""
        if len(records) == 1:
            if not isinstance(error, Invalid):
                place = records[0].place
                log.error("%s cannot be processed", place, exc_info=error, extra={"place": place})
            await self._bury_one(records[0], error)
            return
        middle = len(records) // 2
        for part in (records[:middle], records[middle:]):
            try:
                await self._through_outages(part)
            except Exception as inner:
                await self._narrow_down(part, inner)

    async def _bury_one(self, record: Record, error: Exception) -> None:
        pause = 0.1
        while True:
            try:
                await self._bury.one(*record[:4], error)
                return
            except OUTAGE:
                self._part.moved()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)


def _record(event: Any) -> Record:
    message = event.message
    origin = dict(message.headers or ()).get(PLACE_HEADER, b"").decode(errors="replace")
    return Record(
        message.topic,
        message.partition,
        message.offset,
        message.value or b"",
        instant(message.timestamp),
        origin,
    )


def instant(timestamp: float | None) -> datetime:
    """Unix seconds as UTC. A producer may stamp anything, such as microseconds: then it is now."""
    now = time.time()
    sane = timestamp is not None and 0 < timestamp < now + 86_400
    return datetime.fromtimestamp(timestamp if sane and timestamp else now, UTC)


def die(why: str) -> NoReturn:
    """End the process at once: no finaliser of Faust may run and acknowledge."""
    log.critical(
        "%s; ending at once so that nothing unfinished is acknowledged", why, exc_info=True
    )
    logging.shutdown()
    os._exit(EX_SOFTWARE)
