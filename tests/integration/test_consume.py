"""The consuming harness against real Kafka: what is killed in the middle loses nothing."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from redis.asyncio import Redis

from tocsin.kafka import start_producer
from tocsin.log import read_all
from tocsin.process import ready_file
from tocsin.records import DeadLetter, decode
from tocsin.settings import Settings
from tocsin.topics import DEAD, RETRY_LONG

pytestmark = pytest.mark.integration


class Program:
    """The consuming program, started and killed at will."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = os.environ | {
            "TOCSIN_KAFKA_URL": self._settings.kafka_url,
            "TOCSIN_REDIS_URL": self._settings.redis_url.get_secret_value(),
            "TOCSIN_DATA_DIR": str(self._settings.data_dir),
        }
        argv = [sys.executable, "-m", "tests.integration.consuming_program"]
        self.process = subprocess.Popen(argv, env=environment)

    def end(self, number: int) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(30)

    async def ready(self) -> None:
        path = ready_file(self._settings.data_dir, "program")
        assert self.process
        async with asyncio.timeout(40):
            while not path.exists() or json.loads(path.read_text())["pid"] != self.process.pid:
                assert self.process.poll() is None
                await asyncio.sleep(0.05)


@pytest.fixture
def program(settings: Settings) -> Iterator[Program]:
    made = Program(settings)
    yield made
    if made.process and made.process.poll() is None:
        made.end(signal.SIGKILL)


async def _effects_at_least(redis: Redis, count: int) -> None:
    async with asyncio.timeout(60):
        while await redis.llen("effects") < count:
            await asyncio.sleep(0.02)


async def _produce(settings: Settings, values: list[bytes]) -> None:
    producer = await start_producer(settings)
    futures = [
        await producer.send(RETRY_LONG.name, value, partition=n % settings.partitions)
        for n, value in enumerate(values)
    ]
    await asyncio.gather(*futures)
    await producer.stop()


async def _letters(settings: Settings) -> list[DeadLetter]:
    return [decode(DeadLetter, record.value) async for record in read_all(settings, DEAD)]


async def test_kill_9_and_sigterm_in_the_middle_lose_nothing(
    settings: Settings, redis: Redis, program: Program
) -> None:
    values = [b"kill:%d" % n for n in range(4000)]
    await _produce(settings, values)
    for count, number in ((300, signal.SIGKILL), (900, signal.SIGTERM), (1500, signal.SIGKILL)):
        program.start()
        await program.ready()
        await _effects_at_least(redis, count)
        program.end(number)
    program.start()
    async with asyncio.timeout(60):
        while not set(values) <= set(await redis.lrange("effects", 0, -1)):
            await asyncio.sleep(0.1)
    assert program.end(signal.SIGTERM) == 0


async def test_poison_goes_to_the_dead_letters_and_the_partition_goes_on(
    settings: Settings, redis: Redis, program: Program
) -> None:
    good = [b"good:%d" % n for n in range(60)]
    values = [*good[:20], b"poison:1", *good[20:40], b"bug:1", *good[40:]]
    await _produce(settings, values)
    program.start()
    async with asyncio.timeout(60):
        while not set(good) <= set(await redis.lrange("effects", 0, -1)):
            await asyncio.sleep(0.05)
    assert program.end(signal.SIGTERM) == 0
    letters = await _letters(settings)
    assert {(letter.error, letter.reason) for letter in letters} >= {
        ("Invalid", "poison"),
        ("ZeroDivisionError", "could not be processed"),
    }
    assert not {b"poison:1", b"bug:1"} & set(await redis.lrange("effects", 0, -1))
