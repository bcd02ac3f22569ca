"""What a stopping embedded log still holds is in the next one, where each group left off."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.integration.conftest import free_port, wait_until
from tocsin.engines import spool
from tocsin.engines.keep_broker import spool_path
from tocsin.groups import ANALYTICS, STREAMS
from tocsin.kafka import start_producer
from tocsin.lag import LagMeter
from tocsin.process import ready_file
from tocsin.settings import Settings
from tocsin.topics import PROFILES, REQUESTS, RETRY_LONG

pytestmark = pytest.mark.integration


@contextmanager
def keeper(settings: Settings) -> Iterator[None]:
    """The broker's process, stopped by SIGTERM."""
    environ = {
        **os.environ,
        "TOCSIN_KAFKA_URL": settings.kafka_url,
        "TOCSIN_DATA_DIR": str(settings.data_dir),
    }
    command = [sys.executable, "-m", "tocsin.engines.keep_broker"]
    process = subprocess.Popen(command, env=environ)
    ready = ready_file(settings.data_dir, "broker")
    try:
        wait_until(lambda: ready.exists() and str(process.pid) in ready.read_text())
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


async def produce(settings: Settings) -> None:
    producer = await start_producer(settings)
    # one batch, and the groups stop in the middle of it
    for n in range(10):
        last = await producer.send(REQUESTS.name, b"request %d" % n, b"key", partition=1)
    await last
    await producer.send_and_wait(RETRY_LONG.name, b"later", partition=2, headers=[("due", b"9")])
    for value in (b"old", b"new"):
        await producer.send_and_wait(PROFILES.name, value, b"ada", partition=0)
    await producer.send_and_wait(PROFILES.name, b"here", b"bob", partition=0)
    await producer.send_and_wait(PROFILES.name, None, b"bob", partition=0)
    await producer.stop()


PLACE = TopicPartition(REQUESTS.name, 1)


async def commit(
    settings: Settings, group: str, offset: int, place: TopicPartition = PLACE
) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(), group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign([place])
    await consumer.commit({place: offset})
    await consumer.stop()


async def values(settings: Settings, topic: str) -> list[bytes | None]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(), auto_offset_reset="earliest"
    )
    await consumer.start()
    places = [TopicPartition(topic, p) for p in range(settings.partitions)]
    consumer.assign(places)
    for place in places:
        consumer.seek(place, 0)
    found: list[bytes | None] = []
    ends = await consumer.end_offsets(places)
    assert sum(ends.values())
    while not found:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found += [r.value for r in records]
    await consumer.stop()
    return found


async def committed(settings: Settings) -> dict[str, int]:
    async with LagMeter(settings) as meter:
        positions = await meter.positions()
    return {g: positions.done(g, PLACE) for g in (STREAMS, ANALYTICS)}


def test_a_stopped_broker_hands_on_what_no_group_has_finished(tmp_path: Path) -> None:
    settings = Settings(kafka_url=f"kafka://127.0.0.1:{free_port()}", data_dir=tmp_path)
    with keeper(settings):
        asyncio.run(produce(settings))
        asyncio.run(commit(settings, STREAMS, 7))
        asyncio.run(commit(settings, ANALYTICS, 9))
    assert spool_path(tmp_path).stat().st_mode & 0o077 == 0
    # requests 7, 8 and 9, the retry, and two profiles that analytics has not looked at
    assert spool.waiting(spool_path(tmp_path)) == 6
    with keeper(settings):
        assert asyncio.run(committed(settings)) == {STREAMS: 0, ANALYTICS: 2}
        assert asyncio.run(values(settings, REQUESTS.name)) == [
            b"request 7", b"request 8", b"request 9",
        ]  # fmt: skip
        assert asyncio.run(values(settings, PROFILES.name)) == [b"new", None]
        assert not spool_path(tmp_path).exists()


def test_a_tombstone_is_kept_until_it_was_read_whoever_came_after(tmp_path: Path) -> None:
    settings = Settings(kafka_url=f"kafka://127.0.0.1:{free_port()}", data_dir=tmp_path)

    async def erased_and_back() -> None:
        producer = await start_producer(settings)
        for value in (b"first life", None, b"second life"):
            await producer.send_and_wait(PROFILES.name, value, b"ada", partition=0)
        await producer.stop()

    with keeper(settings):
        asyncio.run(erased_and_back())
    with keeper(settings):
        assert asyncio.run(values(settings, PROFILES.name)) == [None, b"second life"]
        asyncio.run(commit(settings, ANALYTICS, 1, TopicPartition(PROFILES.name, 0)))
    with keeper(settings):
        assert asyncio.run(values(settings, PROFILES.name)) == [b"second life"]


def test_a_broker_that_never_held_anything_leaves_nothing(tmp_path: Path) -> None:
    settings = Settings(kafka_url=f"kafka://127.0.0.1:{free_port()}", data_dir=tmp_path)
    with keeper(settings):
        pass
    assert not spool_path(tmp_path).exists()
    assert spool.waiting(spool_path(tmp_path)) == 0
