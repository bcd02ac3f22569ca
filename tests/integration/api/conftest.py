"""The API over a real store and a real broker, called without a socket between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis

from api.app import create_app
from api.services import Services
from tests.unit.api.asgi import Client
from tocsin.ids import new_id
from tocsin.kafka import start_producer
from tocsin.settings import Settings
from tocsin.tokens import SCOPES, mint
from tocsin.topics import Topic

Record = tuple[bytes | None, bytes | None]
"""(key, value)."""


_MARK = b"a test looked so far"


class Log:
    """What was written to a topic since the test began. To know that there is no more, a mark is
    written to every partition and read: before it is all that was written until then."""

    def __init__(
        self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, partitions: int
    ) -> None:
        self._consumer, self._producer, self._partitions = consumer, producer, partitions

    async def since(self, topic: Topic) -> None:
        """From here on: what there is is read and forgotten."""
        self._places = {TopicPartition(topic.name, p) for p in range(self._partitions)}
        self._consumer.assign(self._places)
        await self._consumer.seek_to_beginning(*self._places)
        await self._until_now()

    async def read(self, at_least: int) -> list[Record]:
        """The next records, in order per partition; waits until there are so many."""
        found: list[Record] = []
        async with asyncio.timeout(60):
            while len(found) < at_least:
                found += [(r.key, r.value) for r in await self._next() if r.key != _MARK]
        return found

    async def rest(self, at_least: int) -> list[Record]:
        """All that was written until now, which is at least so many."""
        return await self.read(at_least) + await self._until_now()

    async def nothing(self) -> bool:
        """Whether nothing was written until now."""
        return not await self._until_now()

    async def _until_now(self) -> list[Record]:
        mark, unmarked = new_id().encode(), set(self._places)
        for topic, partition in unmarked:
            await self._producer.send_and_wait(topic, mark, key=_MARK, partition=partition)
        found: list[Record] = []
        async with asyncio.timeout(60):
            while unmarked:
                for record in await self._next():
                    if record.value == mark:
                        unmarked.remove(TopicPartition(record.topic, record.partition))
                    elif record.key != _MARK:
                        found.append((record.key, record.value))
        return found

    async def _next(self) -> list[Any]:
        polled = await self._consumer.getmany(timeout_ms=500)
        return [record for records in polled.values() for record in records]


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    made = await start_producer(settings)
    yield made
    await made.stop()


@pytest.fixture
async def services(settings: Settings, redis: Redis, producer: AIOKafkaProducer) -> Services:
    return Services.over(settings, redis, producer)


@pytest.fixture
def token(settings: Settings) -> Callable[..., str]:
    """Mint: `token("u1")` is a user, `token("shop", "otp")` a service with scopes."""

    def made(subject: str, *scopes: str) -> str:
        kind = "service" if scopes else "user"
        return mint(settings, subject=subject, kind=kind, scopes=frozenset(scopes), seconds=60)  # type: ignore[arg-type]

    return made


@pytest.fixture
def shop(services: Services, token: Callable[..., str]) -> Client:
    """A service that may do everything."""
    return Client(create_app(services), token("shop", *SCOPES))


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[Log]:
    # the embedded broker looks for what is new only when a fetch's time is up
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(), auto_offset_reset="earliest",
        fetch_max_wait_ms=20,
    )  # fmt: skip
    producer = await start_producer(settings, linger_ms=0)
    await consumer.start()
    yield Log(consumer, producer, settings.partitions)
    await consumer.stop()
    await producer.stop()
