"""The API over a real store and a real broker, called without a socket between."""

from collections.abc import AsyncIterator, Callable

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis

from api.app import create_app
from api.services import Services
from tests.unit.api.asgi import Client
from tocsin.kafka import start_producer
from tocsin.settings import Settings
from tocsin.tokens import SCOPES, mint
from tocsin.topics import Topic

Record = tuple[bytes | None, bytes | None]
"""(key, value)."""


class Log:
    """What was written to a topic since the test began."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: int) -> None:
        self._consumer, self._partitions = consumer, partitions

    async def since(self, topic: Topic) -> None:
        """From here on: what there is is read and forgotten. (The embedded broker's "latest offset"
        lies before the end when the last batch held several records.)"""
        places = [TopicPartition(topic.name, p) for p in range(self._partitions)]
        self._consumer.assign(places)
        await self._consumer.seek_to_beginning(*places)
        while await self._consumer.getmany(timeout_ms=400) or await self._behind(places):
            pass

    async def _behind(self, places: list[TopicPartition]) -> bool:
        ends = await self._consumer.end_offsets(places)
        return any([await self._consumer.position(p) < ends[p] for p in places])

    async def read(self, at_least: int) -> list[Record]:
        """The next records, in order per partition; waits up to 10 s until there are so many."""
        found: list[Record] = []
        for _ in range(20):
            if len(found) >= at_least:
                return found
            for records in (await self._consumer.getmany(timeout_ms=500)).values():
                found += [(record.key, record.value) for record in records]
        raise AssertionError(f"{len(found)} records, wanted {at_least}")

    async def rest(self, at_least: int) -> list[Record]:
        """All that was written until now, which is at least so many."""
        found = await self.read(at_least)
        while await self._behind(list(self._consumer.assignment())):
            found += await self.read(1)
        return found

    async def nothing(self) -> bool:
        """Whether nothing was written, as far as half a second tells."""
        return not await self._consumer.getmany(timeout_ms=500)


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
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(), auto_offset_reset="earliest"
    )
    await consumer.start()
    yield Log(consumer, settings.partitions)
    await consumer.stop()
