"""The dead letters, followed on their topic from the first time somebody asks.

The topic and not ClickHouse: what was put back is noted there, here and by `tocsin dlq`, and is
right at once, also while ClickHouse is away. What is kept is bounded (tocsin/dead.py): of more than
100,000 letters, or 96 MB of payloads, the oldest are left to `tocsin dlq`.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tocsin.clock import Clock
from tocsin.dead import Page, Pile, payload_of, put_back, read_letter
from tocsin.errors import Invalid
from tocsin.records import DeadLetter
from tocsin.settings import Settings
from tocsin.topics import ALL, DEAD, MAX_RECORD_BYTES

log = logging.getLogger(__name__)

FIRST_SECONDS: Final = 30.0
"""Reading all there is takes some seconds with 100,000 letters; whoever gave up goes on later."""

_TOPICS: Final = frozenset(topic.name for topic in ALL)
_PORTION: Final = 500
_NAMED: Final = 20
"""Places that the log line of a replay names."""


class DeadLetters:
    """One pile per process. Methods raise what Kafka raises, and `TimeoutError`."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer, clock: Clock) -> None:
        self._settings, self._producer, self._clock = settings, producer, clock
        self._places = [TopicPartition(DEAD.name, p) for p in range(settings.partitions)]
        self._pile = Pile()
        self._reading = asyncio.Lock()
        self._consumer: AIOKafkaConsumer | None = None

    async def open(self) -> int:
        """How many were never put back."""
        await self._catch_up()
        return self._pile.open

    async def page(self, limit: int, after: tuple[int, str] | None, topic: str, all_: bool) -> Page:
        """Newest first."""
        await self._catch_up()
        return self._pile.page(limit, after, topic, only_open=not all_)

    async def replay(self, places: Sequence[str], who: str) -> int:
        """Put back the records of these places, each once; how many that were.

        Durable when it returns. Raises `Invalid` for a place that nothing can be put back to, and
        then nothing was.
        """
        await self._catch_up()
        chosen = {place: self._at(place, i) for i, place in enumerate(places)}
        letters = [letter for found in chosen.values() for letter in found]
        for noted in await put_back(self._producer, letters, self._clock.now()):
            self._pile.take(noted)
        named = " ".join(list(chosen)[:_NAMED]) + (" ..." if len(chosen) > _NAMED else "")
        log.warning("audit: %s put %d dead letters back: %s", who, len(chosen), named)
        return len(chosen)

    async def close(self) -> None:
        """Let go of the connection."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    def _at(self, place: str, index: int) -> list[DeadLetter]:
        found = self._pile.at(place)
        if not found:
            raise Invalid(f"places[{index}]", "there is no dead letter of this place")
        letter = found[0]
        if letter.topic not in _TOPICS or not 0 <= letter.partition < self._settings.partitions:
            raise Invalid(f"places[{index}]", "this place is no more")
        if any(payload_of(each) is None for each in found):
            raise Invalid(f"places[{index}]", "its payload cannot be read")
        return found

    async def _catch_up(self) -> None:
        async with self._reading, asyncio.timeout(FIRST_SECONDS):
            if self._consumer is None:
                self._consumer = await self._opened()
            ends = await self._consumer.end_offsets(self._places)
            while not await self._through(ends):
                await self._take(200)

    async def _take(self, milliseconds: int) -> None:
        """A portion of what is new: the process has other things to do between two."""
        assert self._consumer is not None
        found = await self._consumer.getmany(timeout_ms=milliseconds, max_records=_PORTION)
        for records in found.values():
            for record in records:
                if letter := read_letter(record.value):
                    self._pile.take(letter)

    async def _through(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether all was read up to these ends, and what a fetch told of beyond them: asked for
        the end, the embedded broker gives one that is too early."""
        assert self._consumer is not None
        for place in self._places:
            end = self._consumer.highwater(place)
            if end is None or await self._consumer.position(place) < max(end, ends[place]):
                return False
        return True

    async def _opened(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_servers(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=6 * MAX_RECORD_BYTES,
            fetch_max_wait_ms=200,
        )
        try:
            await consumer.start()
            consumer.assign(self._places)
        except BaseException:
            with suppress(Exception):
                await consumer.stop()
            raise
        return consumer
