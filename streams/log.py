"""Read a whole topic as it stands now, outside of any consumer group."""

from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from tocsin.settings import Settings
from tocsin.topics import MAX_RECORD_BYTES, Topic


async def read_all(settings: Settings, topic: Topic) -> AsyncIterator[Any]:
    """Every record from the topic's first offsets to its end, as soon as nothing more comes."""
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
