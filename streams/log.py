"""Read a whole topic as it stands now, outside of any consumer group."""

from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from tocsin.settings import Settings
from tocsin.topics import MAX_RECORD_BYTES, Topic


async def read_all(settings: Settings, topic: Topic) -> AsyncIterator[Any]:
    """Every record between the topic's first offsets and the ends it had at the start."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(),
        enable_auto_commit=False,
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
        while any(at[place] < ends[place] for place in places):
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    if record.offset < ends[place]:
                        yield record
                at[place] = records[-1].offset + 1
            for place in places:
                at[place] = max(at[place], await consumer.position(place))
    finally:
        await consumer.stop()
