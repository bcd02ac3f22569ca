"""The replay against the real API, broker, store and sandbox; the OTP lane runs in the test."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from redis.asyncio import Redis

from actors.otp_lane import OtpLane
from tests.integration.conftest import free_port, wait_until
from tests.unit.loadtest.test_shop import SAMPLE
from tocsin.process import ready_file
from tocsin.records import InventoryChange, OtpChallenge, decode, encode
from tocsin.records.codec import split_requests
from tocsin.settings import Settings, load
from tocsin.store import Subscriptions
from tocsin.topics import INVENTORY, OTP, REQUESTS_HIGH, Topic

pytestmark = pytest.mark.integration
ROWS = 300


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """What a process of this system is started with."""
    return {name: value for name, value in os.environ.items() if name[:7] != "TOCSIN_"} | {
        "TOCSIN_KAFKA_URL": settings.kafka_url,
        "TOCSIN_REDIS_URL": settings.redis_url.get_secret_value(),
        "TOCSIN_JWT_SECRET": settings.jwt_secret.get_secret_value(),
        "TOCSIN_OTP_SECRET": settings.otp_secret.get_secret_value(),
        "TOCSIN_DATA_DIR": str(settings.data_dir),
        **more,
    }


@contextmanager
def running(settings: Settings, name: str, argv: list[str], **more: str) -> Iterator[None]:
    """A process of this system, serving."""
    path = ready_file(settings.data_dir, name)
    with subprocess.Popen([sys.executable, "-m", *argv], env=environment(settings, **more)) as one:
        try:
            wait_until(path.exists, 40)
            yield
        finally:
            one.terminate()
            one.wait(20)


@dataclass
class System:
    """What the replay drives: how to start it, and where its records begin."""

    settings: Settings
    env: dict[str, str]

    async def replay(self, *args: str) -> asyncio.subprocess.Process:
        argv = [sys.executable, "-m", "loadtest.replay", str(SAMPLE), *args]
        return await asyncio.create_subprocess_exec(
            *argv, env=self.env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )

    async def report(self, *args: str) -> dict[str, Any]:
        """Of a replay that must succeed."""
        path = self.settings.data_dir / "report.json"
        process = await self.replay(*args, "--report", str(path))
        out, error = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0, (out + error).decode()
        return dict(json.loads(path.read_text()))


@asynccontextmanager
async def reading(settings: Settings, topic: Topic) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of what comes from now on."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_servers(), fetch_max_wait_ms=100)
    await consumer.start()
    try:
        places = [TopicPartition(topic.name, p) for p in range(settings.partitions)]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        # `seek_to_end` is lazy; from here on nothing is missed
        for place in places:
            await consumer.position(place)
        yield consumer
    finally:
        await consumer.stop()


async def everything(consumer: AIOKafkaConsumer) -> list[bytes]:
    """Values up to the end, each partition in order."""
    found = []
    ends = await consumer.end_offsets(consumer.assignment())
    while any([await consumer.position(p) < end for p, end in ends.items()]):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            found += [record.value for record in records]
    return found


async def lane(settings: Settings, consumer: AIOKafkaConsumer) -> None:
    """The OTP worker, without Faust and Ray: the real lane, called by a loop."""
    otp_lane = OtpLane(settings)
    try:
        while True:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                challenges = [decode(OtpChallenge, record.value) for record in records]
                await otp_lane.send(encode(challenges))
    finally:
        await otp_lane.close()


@pytest.fixture
async def system(settings: Settings, redis: Redis) -> AsyncIterator[System]:
    """API, sandbox and OTP lane, on an empty store."""
    port = str(free_port())
    with running(settings, "sandbox", ["loadtest.sandbox"]):
        sandbox = json.loads((settings.data_dir / "sandbox" / "env.json").read_text())
        more = sandbox | {"TOCSIN_PORT": port, "TOCSIN_PUBLIC_URL": f"http://127.0.0.1:{port}"}
        env = environment(settings, **more)
        with running(settings, "api", ["api.serve"], **more):
            async with reading(settings, OTP) as challenges:
                with pytest.MonkeyPatch.context() as patch:
                    for name, value in env.items():
                        patch.setenv(name, value)
                    working = asyncio.create_task(lane(load(), challenges))
                yield System(settings, env)
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)


async def fired(redis: Redis, values: list[bytes]) -> list[str]:
    """Whom these stock changes serve, in the order of the log."""
    store, ids = Subscriptions(redis), []
    for value in values:
        (served,) = await store.apply([decode(InventoryChange, value)])
        await store.fired(served.firing)
        ids += [subscription.subscription_id for subscription in served.firing]
    return ids


async def test_a_replay_does_what_the_file_comes_to_and_again_changes_nothing(
    system: System, redis: Redis
) -> None:
    whole = await system.report("--dry-run", "--limit", str(ROWS))
    async with (
        reading(system.settings, INVENTORY) as stock,
        reading(system.settings, REQUESTS_HIGH) as asked,
    ):
        first = await system.report("--limit", str(ROWS))
        assert first | {"seconds": 0, "verified_otps": 0} == whole | {"seconds": 0}
        assert first["verified_otps"] == whole["otps"]

        requests = [each for value in await everything(asked) for each in split_requests(value)]
        ids = {request.notification_id for request in requests}  # type: ignore[union-attr]
        assert len(requests) == len(ids) == sum(whole["notifications"].values())

        changes = await everything(stock)
        assert len(changes) == whole["inventory_records"]
        served = await fired(redis, changes)
        assert len(served) == len(set(served)) == whole["signups"]

        again = await system.report("--limit", str(ROWS))
        assert again | {"seconds": 0} == first | {"seconds": 0}
        repeated = [each for value in await everything(asked) for each in split_requests(value)]
        assert {r.notification_id for r in repeated} == ids  # type: ignore[union-attr]
        assert await fired(redis, await everything(stock)) == []


async def test_ctrl_c_finishes_what_was_sent_and_says_how_far_it_came(system: System) -> None:
    report = system.settings.data_dir / "report.json"
    process = await system.replay("--speed", "3600", "--report", str(report))
    assert process.stdout
    async with asyncio.timeout(40):
        assert (await process.stdout.readline()).startswith(b"replay: row ")
    process.send_signal(signal.SIGINT)
    out, error = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, error) == (0, b"")
    done = json.loads(report.read_text())
    assert f"Stopped at row {done['rows']:,}" in out.decode()
    assert 0 < done["rows"] < 2_000
    assert done["inventory_records"] == done["rows"]
    assert done["verified_otps"] == done["otps"] > 0


async def test_without_an_api_it_ends_with_one_line(settings: Settings) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    argv = [sys.executable, "-m", "loadtest.replay", str(SAMPLE), "--api", url, "--patience", "1"]
    process = await asyncio.create_subprocess_exec(
        *argv, env=environment(settings), stderr=asyncio.subprocess.PIPE
    )
    _, error = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 3
    assert error.decode() == (
        f"tocsin replay: The API does not answer at {url}: is `tocsin up` running?\n"
    )
