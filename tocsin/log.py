"""Read whole topics as they stand now, outside of any consumer group."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tocsin.lag import committed
from tocsin.settings import Settings
from tocsin.topics import MAX_RECORD_BYTES, Topic


async def read_all(settings: Settings, topic: Topic) -> AsyncIterator[Any]:
    """Every record from the topic's first offsets to its end, as soon as nothing more comes."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(),
        enable_auto_commit=False,
        # or the library, which begins to look for the newest record as soon as it is assigned a
        # partition, may find it after the seek and pass over everything
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=6 * MAX_RECORD_BYTES,
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        places = [TopicPartition(topic.name, p) for p in range(settings.partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        at = await consumer.beginning_offsets(places)
        await consumer.seek_to_beginning()
        polled: dict[Any, Any] = {None: ()}
        # the embedded broker gives an end as one past the *first* record of the last batch, so the
        # ends alone are not believed: an empty poll must agree
        while polled or any(at[place] < ends[place] for place in places):
            polled = await consumer.getmany(timeout_ms=300)
            for records in polled.values():
                for record in records:
                    yield record
            for place in places:
                at[place] = await consumer.position(place)
    finally:
        await consumer.stop()


class Log:
    """A topic read partition by partition, whole, and later on from where it was left.

    An async context manager. Raises `KafkaError` where Kafka does not answer.
    """

    def __init__(self, settings: Settings, topic: Topic) -> None:
        self._name = topic.name
        self.partitions = range(settings.partitions)
        self._at: dict[int, int] = {}
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_servers(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=6 * MAX_RECORD_BYTES,
            fetch_max_wait_ms=50,
        )

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def begin_at(self, at: datetime) -> None:
        """Leave out what the broker had before `at`, as far as it knows."""
        milliseconds = int(at.timestamp() * 1000)
        places = {TopicPartition(self._name, p): milliseconds for p in self.partitions}
        found = await self._consumer.offsets_for_times(places)
        ends = await self._consumer.end_offsets(list(places))
        for place, first in found.items():
            # where nothing is that new, Kafka has no answer, and the embedded broker one that its
            # timestamp gives away; its ends are too early, so there all is read
            if first is None:
                self._at[place.partition] = ends[place]
            elif first.timestamp >= 0:
                self._at[place.partition] = first.offset

    async def read(self, partition: int, until: int | None = None) -> AsyncIterator[list[Any]]:
        """The records up to offset `until`, or to the end as it is now; some megabytes at a time.

        Asked again it goes on where it left off, so nothing is read twice.
        """
        place = TopicPartition(self._name, partition)
        self._consumer.assign([place])
        start = self._at.get(partition)
        if start is None:
            start = (await self._consumer.beginning_offsets([place]))[place]
        self._consumer.seek(place, start)
        while not await self._through(place, until):
            records = (await self._consumer.getmany(place, timeout_ms=100)).get(place, [])
            if until is not None:
                records = [record for record in records if record.offset < until]
            if records:
                yield records
        at = await self._consumer.position(place)
        self._at[partition] = at if until is None else min(at, until)

    async def _through(self, place: TopicPartition, until: int | None) -> bool:
        """The end is the one a fetch tells: the embedded broker gives another when asked for it."""
        at, end = await self._consumer.position(place), self._consumer.highwater(place)
        return (end is not None and at >= end) or (until is not None and at >= until)


class Commits:
    """How far a group has come in a topic. An async context manager."""

    def __init__(self, settings: Settings, group: str, topic: Topic) -> None:
        self._group = group
        # named one by one: the embedded broker answers "all" with a frame nobody can read
        self._places = [TopicPartition(topic.name, p) for p in range(settings.partitions)]
        self._admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers())

    async def __aenter__(self) -> Self:
        await self._admin.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    async def positions(self) -> dict[int, int]:
        """By partition, the first offset that is not done; none where nothing was committed."""
        found = await committed(self._admin, self._group, self._places)
        return {place.partition: at.offset for place, at in found.items() if at.offset >= 0}
