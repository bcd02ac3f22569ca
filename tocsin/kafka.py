"""Kafka outside of Faust: a producer, and the topics."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, TopicAlreadyExistsError, for_code
from aiokafka.partitioner import murmur2

from tocsin.errors import EngineUnavailable
from tocsin.settings import Settings
from tocsin.topics import ALL, MAX_RECORD_BYTES, WEEK, Topic

PLACE_HEADER: Final = "tocsin-place"
"""On a record put back: the ``topic:partition:offset`` it had, by which the router knows it."""

_ROOM: Final = MAX_RECORD_BYTES - 100
_NEXT_STEP = "start it, or set TOCSIN_KAFKA_URL"


def partition_for(key: str, partitions: int) -> int:
    """The partition Kafka's own default partitioner gives this key."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions  # type: ignore[no-any-return]


async def start_producer(settings: Settings, linger_ms: int = 2) -> AIOKafkaProducer:
    """A producer that waits for all in-sync replicas. Its `send` returns a future that is durable.

    Not idempotent: the embedded broker has no InitProducerId, and every consumer here drops
    duplicates by id.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_servers(),
        acks="all",
        linger_ms=linger_ms,
        max_batch_size=512 * 1024,
        # a batch of the largest legal requests must still fit a record of ours
        max_request_size=4 * MAX_RECORD_BYTES,
        request_timeout_ms=20_000,
    )
    try:
        await producer.start()
    except KafkaConnectionError:
        await producer.stop()
        raise EngineUnavailable("Kafka", settings.kafka_url, _NEXT_STEP) from None
    return producer


async def send_all(
    producer: AIOKafkaProducer, topic: Topic, values: Sequence[tuple[int, bytes]]
) -> None:
    """Produce (partition, value) pairs and return when every one is durable."""
    futures = [await producer.send(topic.name, value, partition=p) for p, value in values]
    await asyncio.gather(*futures)


def packed(name: str, values: Iterable[bytes], most: int) -> list[bytes]:
    """JSON values as ``{name: [...]}`` records of at most `most` values and, as far as one value
    allows, MAX_RECORD_BYTES."""
    opening = b'{"%b":[' % name.encode()
    groups: list[list[bytes]] = [[]]
    size = 0
    for value in values:
        if groups[-1] and (size + len(value) > _ROOM or len(groups[-1]) >= most):
            groups.append([])
            size = 0
        groups[-1].append(value)
        size += len(value) + 1
    return [opening + b",".join(group) + b"]}" for group in groups if group]


async def send_keyed(
    producer: AIOKafkaProducer, topic: Topic, values: Sequence[tuple[str, bytes | None]]
) -> None:
    """Produce (key, value or tombstone) pairs in order; returns when every one is durable."""
    futures = [await producer.send(topic.name, value, key=key.encode()) for key, value in values]
    await asyncio.gather(*futures)


async def ensure_topics(settings: Settings) -> None:
    """Create what is missing of the catalogue; leaves existing topics as they are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers())
    try:
        await admin.start()
    except KafkaConnectionError:
        raise EngineUnavailable("Kafka", settings.kafka_url, _NEXT_STEP) from None
    try:
        there = set(await admin.list_topics())
        wanted = [_new_topic(topic, settings) for topic in ALL if topic.name not in there]
        response = await admin.create_topics(wanted) if wanted else None
        for _, code, *_ in response.topic_errors if response else ():
            if code and not issubclass(for_code(code), TopicAlreadyExistsError):
                raise for_code(code)
    finally:
        await admin.close()


def topic_config(topic: Topic) -> dict[str, str]:
    """How the broker keeps a topic of the catalogue."""
    config = {"max.message.bytes": str(5 * MAX_RECORD_BYTES)}
    if topic.compacted:
        forgets = topic.retention_hours > WEEK
        config["cleanup.policy"] = "compact,delete" if forgets else "compact"
    if not topic.compacted or topic.retention_hours > WEEK:
        config["retention.ms"] = str(topic.retention_hours * 3_600_000)
    return config


def _new_topic(topic: Topic, settings: Settings) -> NewTopic:
    config = topic_config(topic)
    return NewTopic(topic.name, settings.partitions, settings.replication, topic_configs=config)
