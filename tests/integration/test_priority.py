"""Low never delays high: with every low batch stuck at its provider, what is high still goes out.

The bulk worker's own consumers on a real broker and store; only the Ray pools are replaced.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from streams.app import make_app
from streams.live import Live
from streams.mind import make_mind
from streams.serve import serve
from streams.worker import Tools, consumers
from tests.integration.living import Life
from tocsin.kafka import start_producer
from tocsin.process import ready_file
from tocsin.records import Channel, Delivery, Lane, NotificationRequest, Priority, State, encode
from tocsin.settings import Settings
from tocsin.store import SendResult
from tocsin.topics import REQUESTS_BY_LANE

pytestmark = pytest.mark.integration
PER_LANE = 40


class Stuck:
    """Pools in which nothing low ever ends; what is high must be tried twice."""

    def __init__(self) -> None:
        self.never, self.news = asyncio.Event(), asyncio.Event()
        self.stuck = 0
        self.tries: Counter[str] = Counter()
        self.done: set[str] = set()

    def actor(self, channel: Channel, partition: int) -> int:
        del channel, partition
        return 0

    async def send(
        self, channel: Channel, partition: int, deliveries: Sequence[Delivery]
    ) -> list[SendResult]:
        del channel, partition
        self.news.set()
        if any(d.priority is Priority.LOW for d in deliveries):
            self.stuck += 1
            await self.never.wait()
        return [self._result(delivery) for delivery in deliveries]

    def _result(self, delivery: Delivery) -> SendResult:
        self.tries[delivery.delivery_id] += 1
        again = delivery.priority is not Priority.NORMAL and delivery.attempt == 1
        if not again:
            self.done.add(delivery.notification_id)
        state = State.RETRY if again else State.DELIVERED
        return SendResult(delivery.delivery_id, state, retry_after=0.1 if again else None)

    async def broadcast(self, audience: str, frame: bytes) -> int:
        del audience, frame
        return 0


@pytest.fixture
async def pools(settings: Settings, redis: Redis) -> AsyncIterator[Stuck]:
    """A running worker's."""
    producer, stop, made = await start_producer(settings), asyncio.Event(), Stuck()
    given: Any = made
    mind = await make_mind(settings, redis)
    tools = Tools(settings, producer, redis, given, mind, Live(given))
    app = make_app(settings, "test-priority")
    running = asyncio.create_task(serve(settings, "priority", app, consumers(tools), stop))
    async with asyncio.timeout(30):
        while not ready_file(settings.data_dir, "priority").exists():
            await asyncio.sleep(0.05)
    yield made
    made.never.set()
    stop.set()
    await running
    await producer.stop()


async def _until(pools: Stuck, check: Any) -> None:
    async with asyncio.timeout(20):
        while not check():
            pools.news.clear()
            await pools.news.wait()


async def test_with_everything_low_stuck_what_is_high_is_sent_and_tried_again(
    pools: Stuck, settings: Settings, redis: Redis
) -> None:
    producer = await start_producer(settings)
    life = Life(settings, redis, producer)
    await life.person()
    asked = {
        priority: [life.ask(priority=priority, channels=(Channel.PUSH,)) for _ in range(PER_LANE)]
        for priority in Priority
    }
    await _produce(producer, settings, Lane.LOW, asked[Priority.LOW])
    await _until(pools, lambda: pools.stuck > 0)
    urgent = [*asked[Priority.CRITICAL], *asked[Priority.HIGH]]
    await _produce(producer, settings, Lane.HIGH, urgent)
    await _produce(producer, settings, Lane.NORMAL, asked[Priority.NORMAL])
    wanted = {r.notification_id for r in (*urgent, *asked[Priority.NORMAL])}
    await _until(pools, lambda: pools.done >= wanted)
    assert pools.done == wanted
    assert not pools.never.is_set()
    assert {pools.tries[f"{r.notification_id}:push"] for r in urgent} == {2}
    await producer.stop()


async def _produce(
    producer: Any, settings: Settings, lane: Lane, asked: Sequence[NotificationRequest]
) -> None:
    """One record each, on every partition: more than one batch can take."""
    topic = REQUESTS_BY_LANE[lane].name
    acks = [
        await producer.send(topic, encode(request), partition=n % settings.partitions)
        for n, request in enumerate(asked)
    ]
    await asyncio.gather(*acks)
