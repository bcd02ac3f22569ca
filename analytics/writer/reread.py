"""Reading a planned block again, by a consumer of its own: any partition, in no group."""

from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from analytics.writer.block import Block, Range
from analytics.writer.rows import Record
from tocsin.settings import Settings
from tocsin.topics import MAX_RECORD_BYTES

FETCH_BYTES: Final = 6 * MAX_RECORD_BYTES
"""More than any batch of records the topics take."""


async def reread(settings: Settings, topic: str, ranges: Sequence[Range]) -> Block | None:
    """The block, or None when the log no longer holds all of it (or is another log altogether)."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        records: list[Record] = []
        for each in sorted(ranges):
            found = await _range(consumer, topic, each)
            if found is None:
                return None
            records += found
        return Block(topic, tuple(sorted(ranges)), tuple(records))
    finally:
        await consumer.stop()


async def _range(consumer: AIOKafkaConsumer, topic: str, wanted: Range) -> list[Record] | None:
    place = TopicPartition(topic, wanted.partition)
    consumer.assign([place])
    if (await consumer.beginning_offsets([place]))[place] > wanted.start:
        return None
    consumer.seek(place, wanted.start)
    found: list[Record] = []
    while await consumer.position(place) < wanted.end:
        for batch in (await consumer.getmany(place, timeout_ms=100)).values():
            found += [record_of(each) for each in batch]
        # the fetch's own high water mark: asked for the end, the embedded broker understates it
        end = consumer.highwater(place)
        if end is not None and end < wanted.end:
            return None
    return [record for record in found if record.offset < wanted.end]


def record_of(message: object) -> Record:
    """An aiokafka ConsumerRecord as what is used of it; a missing value or key is an empty one."""
    return Record(
        partition=message.partition,  # type: ignore[attr-defined]
        offset=message.offset,  # type: ignore[attr-defined]
        timestamp=message.timestamp,  # type: ignore[attr-defined]
        value=message.value or b"",  # type: ignore[attr-defined]
        key=message.key or b"",  # type: ignore[attr-defined]
    )
