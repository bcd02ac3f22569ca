"""The bulk worker process: restock, broadcasts, route, every channel, retries and the live feed."""

import asyncio
from collections.abc import Sequence

import faust
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from actors.pool import Pools
from streams import fan_out
from streams.app import BULK_FETCH_WAIT_MS, make_app
from streams.bury import Bury
from streams.consume import Consume
from streams.dispatch import Dispatch
from streams.live import Live
from streams.restock import Restock
from streams.retry import Retry
from streams.retry_policy import LONG, MEDIUM, SHORT
from streams.route import Route
from streams.serve import serve
from tocsin.clock import SystemClock
from tocsin.groups import STREAMS
from tocsin.kafka import start_producer
from tocsin.process import run, step_back
from tocsin.records import CHANNELS, LANES
from tocsin.settings import Settings
from tocsin.store import Notifications, Profiles, Subscriptions, connect
from tocsin.topics import (
    BY_CHANNEL,
    INVENTORY,
    OUTCOMES,
    REQUESTS_BY_LANE,
    RETRY_LONG,
    RETRY_MEDIUM,
    RETRY_SHORT,
)

_RETRIES = ((RETRY_SHORT, SHORT), (RETRY_MEDIUM, MEDIUM), (RETRY_LONG, LONG))


def consumers(
    settings: Settings, producer: AIOKafkaProducer, redis: Redis, pools: Pools, live: Live
) -> Sequence[Consume]:
    """Every topic the bulk worker reads, and what it does with it."""
    bury, clock = Bury(producer), SystemClock()
    restock = Restock(producer, Subscriptions(redis), bury, clock, settings.partitions)
    route = Route(
        producer, Notifications(redis, settings.dedupe_hours), Profiles(redis), bury, clock
    )
    return (
        Consume(INVENTORY, restock, bury, most=500),
        *(Consume(topic, route, bury, most=50) for topic in REQUESTS_BY_LANE.values()),
        *(
            Consume(
                BY_CHANNEL[c, lane], Dispatch(c, producer, pools, clock), bury, most=2, within=0.01
            )
            for lane in LANES
            for c in CHANNELS
        ),
        *fan_out.consumers(settings, producer, redis, bury, clock),
        *(Consume(t, Retry(producer, clock, hold), bury, depth=64) for t, hold in _RETRIES),
        Consume(OUTCOMES, live, bury, within=0.05),
    )


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Consume until told to stop; then finish what was taken."""
    step_back()
    producer = await start_producer(settings)
    redis = await connect(settings)
    pools = await Pools.connect(settings)
    await asyncio.gather(*(pools.send(channel, 0, []) for channel in CHANNELS))
    live = Live(pools)
    frames = asyncio.create_task(live.run())
    app: faust.App = make_app(settings, STREAMS, BULK_FETCH_WAIT_MS)
    try:
        found = consumers(settings, producer, redis, pools, live)
        await serve(settings, "streams", app, found, stop)
    finally:
        frames.cancel()
        await producer.stop()
        await redis.aclose()


if __name__ == "__main__":
    run("streams", main)
