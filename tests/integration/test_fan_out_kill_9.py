"""The fan-out as a process that is killed on its way: everybody once, and it comes to an end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from streams.fan_out import MOST
from tocsin.ids import new_id
from tocsin.kafka import start_producer
from tocsin.log import read_all
from tocsin.process import ready_file
from tocsin.records import (
    Audience,
    Broadcast,
    Match,
    NotificationRequest,
    Profile,
    encode,
    split_requests,
)
from tocsin.settings import Settings
from tocsin.store import Broadcasts, Profiles, keys
from tocsin.store.broadcasts import Progress
from tocsin.store.profiles import Step
from tocsin.topics import BROADCASTS, REQUESTS_LOW

pytestmark = pytest.mark.integration
PEOPLE = 60_000
DEATHS = (1, PEOPLE // 2)


class Worker:
    """`python -m streams.fan_out_worker`, started and killed at will."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "TOCSIN_KAFKA_URL": self._settings.kafka_url,
            "TOCSIN_REDIS_URL": self._settings.redis_url.get_secret_value(),
            "TOCSIN_DATA_DIR": str(self._settings.data_dir),
        }
        argv = [sys.executable, "-m", "streams.fan_out_worker"]
        return subprocess.Popen(argv, env=environment)

    async def start(self) -> None:
        process = self._process = self._spawn()
        path = ready_file(self._settings.data_dir, "streams-fan-out")
        async with asyncio.timeout(60):
            while not path.exists() or json.loads(path.read_text())["pid"] != process.pid:
                assert process.poll() is None
                await asyncio.sleep(0.05)

    def end(self, number: int) -> int:
        assert self._process
        self._process.send_signal(number)
        return self._process.wait(30)

    def end_if_running(self) -> None:
        if self._process and self._process.poll() is None:
            self.end(signal.SIGKILL)


@pytest.fixture
def worker(settings: Settings) -> Iterator[Worker]:
    made = Worker(settings)
    yield made
    made.end_if_running()


async def _people(redis: Redis) -> None:
    profiles = Profiles(redis)
    await redis.set(keys.STORE_READY, 1)
    for start in range(0, PEOPLE, 1_000):
        lot = [
            Profile(f"u{n}", topics=("even",) * (n % 2 == 0), attributes={"n": float(n)})
            for n in range(start, start + 1_000)
        ]
        await profiles.change_many({each.user_id: _registered(each) for each in lot})


def _registered(profile: Profile) -> Step:
    return lambda _: profile


def _broadcast(audience: Audience) -> Broadcast:
    return Broadcast(new_id(), audience, "SALE_OFFER", datetime.now(UTC), {"body": "Hearts"})


async def _send(settings: Settings, broadcasts: list[Broadcast]) -> None:
    producer = await start_producer(settings)
    for each in broadcasts:
        await producer.send_and_wait(BROADCASTS.name, encode(each), partition=0)
    await producer.stop()


async def _until(store: Broadcasts, of: Broadcast, looked_at: int) -> Progress:
    """Its progress once that many were looked at, or once it is over."""
    async with asyncio.timeout(60):
        while True:
            found = await store.progress(of.broadcast_id)
            if found and (found.looked_at >= looked_at or found.state == "done"):
                return found
            await asyncio.sleep(0.01)


async def _requests(settings: Settings) -> dict[str, Counter[str]]:
    """How often each person was asked for, by broadcast."""
    found: dict[str, Counter[str]] = {}
    async for record in read_all(settings, REQUESTS_LOW):
        for request in split_requests(record.value):
            assert isinstance(request, NotificationRequest)
            assert request.broadcast_id
            found.setdefault(request.broadcast_id, Counter())[request.user_id] += 1
    return found


async def test_killed_twice_on_its_way_it_leaves_nobody_out(
    settings: Settings, redis: Redis, worker: Worker
) -> None:
    await _people(redis)
    everybody = _broadcast(Audience(segment=(Match("n", "gte", 0.0),)))
    followers = _broadcast(Audience(topic="even"))
    await _send(settings, [everybody, followers])
    store = Broadcasts(redis)
    for looked_at in DEATHS:
        await worker.start()
        found = await _until(store, everybody, looked_at)
        worker.end(signal.SIGKILL)
        assert found.state == "running"
    await worker.start()
    for each, count in ((everybody, PEOPLE), (followers, PEOPLE // 2)):
        found = await _until(store, each, PEOPLE + 1)
        assert (found.state, found.looked_at, found.told) == ("done", count, count)
    assert worker.end(signal.SIGTERM) == 0
    told = await _requests(settings)
    assert set(told[everybody.broadcast_id]) == {f"u{n}" for n in range(PEOPLE)}
    assert set(told[followers.broadcast_id]) == {f"u{n}" for n in range(0, PEOPLE, 2)}
    for counts in told.values():  # a death repeats one page
        assert counts.total() - len(counts) <= len(DEATHS) * MOST
