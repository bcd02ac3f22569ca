"""`python -m analytics.writer`: Kafka to ClickHouse until SIGTERM."""

import asyncio

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError
from clickhouse_connect.driver import options

from analytics.client import connect
from analytics.writer.eraser import Eraser
from analytics.writer.recount import Recount
from analytics.writer.reread import FETCH_BYTES
from analytics.writer.unfinished import keep_count
from analytics.writer.writer import Writer
from tocsin.errors import EngineUnavailable
from tocsin.groups import ANALYTICS
from tocsin.process import ready, run
from tocsin.settings import Settings


def consumer_of(settings: Settings) -> AIOKafkaConsumer:
    """A member of the analytics group that commits only what it is told to."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(),
        group_id=ANALYTICS,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_500,
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_wait_ms=250,
    )


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Join the group, finish what a predecessor planned, and write; beside it, forget people and
    keep the rollups exact."""
    # the writer sends lists; left alone, clickhouse-connect imports pandas on the first insert to
    # ask whether they are frames: two seconds and 60 MB
    options.__dict__.update(pd=None, np=None)
    client = await connect(settings)
    consumer = consumer_of(settings)
    writer = Writer(settings, consumer, client, stop)
    writer.subscribe()
    eraser = Eraser(client, writer.forgotten, cluster=settings.clickhouse_cluster)
    beside = {
        asyncio.create_task(eraser.run(stop)),
        asyncio.create_task(keep_count(client)),
        asyncio.create_task(Recount(client, writer.calm, writer.leads).run(stop)),
    }
    try:
        await _start(consumer, settings)
        await writer.recover()
        ready(settings, "writer")
        await writer.run()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        await consumer.stop()
        await client.close()


async def _start(consumer: AIOKafkaConsumer, settings: Settings) -> None:
    try:
        await consumer.start()
    except KafkaConnectionError:
        step = "start it, or set TOCSIN_KAFKA_URL"
        raise EngineUnavailable("Kafka", settings.kafka_url, step) from None


if __name__ == "__main__":
    run("writer", main)
