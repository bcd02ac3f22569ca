"""The bulk worker process: restock, route, what waits, every channel, retries, broadcasts and the
live feed."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, NamedTuple

import faust
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from actors.pool import Pools
from streams import fan_out
from streams.app import BULK_FETCH_WAIT_MS, make_app
from streams.bury import Bury
from streams.carry_out import CarryOut
from streams.consume import Consume
from streams.convert import Convert
from streams.digest_lines import DigestLines
from streams.dispatch import Dispatch
from streams.engage import Engage
from streams.live import Live
from streams.mind import Mind, make_mind
from streams.restock import Restock
from streams.retry import Retry
from streams.retry_policy import HOLDS
from streams.route import Route
from streams.scheduler import Scheduler
from streams.serve import beside, serve
from streams.wake import Wake
from tocsin.groups import STREAMS
from tocsin.ids import new_id
from tocsin.kafka import start_producer
from tocsin.process import run, step_back
from tocsin.records import CHANNELS, LANES
from tocsin.settings import Settings
from tocsin.store import Notifications, Subscriptions, Templates, connect
from tocsin.store.caps import Caps
from tocsin.store.claims import Begun
from tocsin.store.clicks import Clicks
from tocsin.store.clock import StoreClock
from tocsin.store.engaged import Engaged
from tocsin.store.inbox import Inbox
from tocsin.store.registry import living
from tocsin.store.schedule import Schedule
from tocsin.templates import Catalogue, Renderer
from tocsin.templates.feed import Feed
from tocsin.topics import (
    BY_CHANNEL,
    DUE_BY_LANE,
    INVENTORY,
    OUTCOMES,
    REQUESTS_BY_LANE,
    RETRIES,
    RETRIES_HIGH,
)


class Tools(NamedTuple):
    """What a worker's agents share."""

    settings: Settings
    producer: AIOKafkaProducer
    redis: Redis
    pools: Pools
    mind: Mind
    live: Live


def consumers(tools: Tools) -> Sequence[Consume]:
    """Every topic the bulk worker reads, and what it does with it."""
    bury, inbox, begun = Bury(tools.producer), Inbox(tools.redis), Begun(tools.redis)
    return (
        *_deciding(tools, bury, inbox, begun),
        *fan_out.consumers(tools.settings, tools.producer, tools.redis, bury, tools.mind),
        *_sending(tools, bury),
        *_retrying(tools, bury, inbox, begun),
        Consume(OUTCOMES, tools.live, bury, within=0.05),
    )


def _retrying(tools: Tools, bury: Bury, inbox: Inbox, begun: Begun) -> Iterator[Consume]:
    for topics in (RETRIES_HIGH, RETRIES):
        for topic, hold in zip(topics, HOLDS, strict=True):
            work = Retry(tools.producer, inbox, begun, tools.mind.clock, hold)
            # many short batches: one that is held keeps none of the others waiting
            yield Consume(topic, work, bury, most=8, depth=64)


def _deciding(tools: Tools, bury: Bury, inbox: Inbox, begun: Begun) -> Iterator[Consume]:
    settings, producer, redis, mind = tools.settings, tools.producer, tools.redis, tools.mind
    schedule = Schedule(redis)
    carry_out = CarryOut(producer, schedule, Caps(redis), begun, mind.rules)
    convert = Convert(producer, Clicks(redis))
    route = Route(mind, Notifications(redis, settings.dedupe_hours), carry_out, bury, convert)
    lines = DigestLines(Renderer(settings), Templates(redis))
    wake = Wake(mind, carry_out, schedule, inbox, lines, producer, settings.partitions)
    restock = Restock(producer, Subscriptions(redis), bury, mind.clock, settings.partitions)
    yield Consume(INVENTORY, restock, bury, most=500)
    for topic in REQUESTS_BY_LANE.values():
        yield Consume(topic, route, bury, most=50)
    for topic in DUE_BY_LANE.values():
        yield Consume(topic, wake, bury, most=20)


def _sending(tools: Tools, bury: Bury) -> Iterator[Consume]:
    mind, schedule = tools.mind, Schedule(tools.redis)
    for lane in LANES:
        for channel in CHANNELS:
            work = Dispatch(channel, tools.producer, tools.pools, schedule, mind.clock, mind.rules)
            # a call to an actor costs about a millisecond on both sides, whatever is in it
            yield Consume(BY_CHANNEL[channel, lane], work, bury, most=4, within=0.01)


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Consume until told to stop; then finish what was taken."""
    step_back()
    async with AsyncExitStack() as stack:  # closed last to first
        redis = await connect(settings)
        stack.push_async_callback(redis.aclose)
        producer = await start_producer(settings)
        stack.push_async_callback(producer.stop)
        catalogue = Catalogue()
        mind = await make_mind(settings, redis, catalogue)
        feed = Feed(settings, catalogue)
        await feed.start()
        stack.push_async_callback(feed.stop)
        pools = await Pools.connect(settings, partial(living, redis))
        await asyncio.gather(*(pools.send(channel, 0, []) for channel in CHANNELS))
        tools = Tools(settings, producer, redis, pools, mind, Live(pools))
        for work in (tools.live.run(), *_clockwork(tools)):
            stack.callback(beside(work).cancel)
        app: faust.App = make_app(settings, STREAMS, BULK_FETCH_WAIT_MS)
        await serve(settings, "streams", app, consumers(tools), stop)


def _clockwork(tools: Tools) -> Iterator[Coroutine[Any, Any, None]]:
    """What runs beside the agents: the scheduler, and the clock it and everybody goes by; and what
    takes people's reads and acknowledgements to the books."""
    yield Scheduler(tools.producer, Schedule(tools.redis), tools.settings.partitions).run()
    yield Engage(tools.producer, Engaged(tools.redis, new_id()), tools.settings.partitions).run()
    if isinstance(tools.mind.clock, StoreClock):
        yield tools.mind.clock.keep()


if __name__ == "__main__":
    run("streams", main)
