"""Engines for integration tests: embedded ones, or those whose TOCSIN_TEST_* URL is set."""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from redis.asyncio import Redis

from tocsin.cli.ports import QUIET, is_free
from tocsin.engines import broker as tansu
from tocsin.engines import valkey
from tocsin.kafka import ensure_topics
from tocsin.settings import Settings
from tocsin.store import connect, keys
from tocsin.topics import ALL


def free_port() -> int:
    """A port nobody listens on now, and that nobody gets by chance before it is used."""
    return next(port for port in random.sample(QUIET, 1_000) if is_free(port))


def wait_until(check: Callable[[], bool], seconds: float = 60) -> None:
    """Return when `check` holds; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            raise AssertionError(f"not so within {seconds} s: {check}")
        time.sleep(0.02)


def _running(argv: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running store."""
    if url := os.environ.get("TOCSIN_TEST_REDIS_URL"):
        yield url
        return
    port = free_port()
    for _ in _running(valkey.command(port, tmp_path_factory.mktemp("valkey"))):
        wait_until(lambda: valkey.answers(port))
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture(scope="module")
def kafka_url() -> Iterator[str]:
    """A running broker with nothing in it, for each module: one of them leaves records on purpose
    that the next could not read. Tansu, or with TOCSIN_TEST_KAFKA_URL (make test-kafka) what is
    there, without our topics."""
    if urls := os.environ.get("TOCSIN_TEST_KAFKA_URL", "").split():
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
        url = urls[int(worker.removeprefix("gw")) % len(urls)]
        asyncio.run(forget_topics(url))
        yield url
        return
    port = free_port()
    for _ in _running(tansu.command(port)):
        wait_until(lambda: tansu.answers(port))
        yield f"kafka://127.0.0.1:{port}"


async def forget_topics(kafka_url: str) -> None:
    """Delete every topic of the catalogue, and return when the broker has forgotten them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=Settings(kafka_url=kafka_url).kafka_servers())
    await admin.start()
    try:
        ours = {topic.name for topic in ALL}
        while there := ours & set(await admin.list_topics()):
            await admin.delete_topics(sorted(there))
            await asyncio.sleep(0.1)
    finally:
        await admin.close()


@pytest.fixture
def store_settings(redis_url: str, tmp_path: Path) -> Settings:
    """Settings with a real store and no broker."""
    return Settings(
        redis_url=redis_url,
        data_dir=tmp_path,
        otp_secret="test-pepper-0123456789abcdef",
        jwt_secret="test-jwt-secret-0123456789abcdef0123456789",
    )


@pytest.fixture
async def redis(store_settings: Settings) -> AsyncIterator[Redis]:
    """An empty store that knows it: the view of an empty log. Tests that share a store run one at a
    time (xdist: one store a worker)."""
    client = await connect(store_settings)
    await client.flushall()
    await client.set(keys.STORE_READY, "a test")
    yield client
    await client.aclose()


@pytest.fixture
async def settings(store_settings: Settings, kafka_url: str) -> Settings:
    """Settings with a real store and a real broker that has every topic."""
    made = store_settings.model_copy(update={"kafka_url": kafka_url})
    await ensure_topics(made)
    return made


@pytest.fixture(scope="session")
def sandbox_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running provider sandbox, as the TOCSIN_ settings with which clients talk to it."""
    data_dir = tmp_path_factory.mktemp("sandbox")
    argv = [sys.executable, "-m", "loadtest.sandbox", "--data-dir", str(data_dir)]
    for _ in _running(argv):
        wait_until((data_dir / "run" / "sandbox.ready").exists)
        yield json.loads((data_dir / "sandbox" / "env.json").read_text())


from tests.integration.clickhouse import (  # noqa: E402, F401  it needs free_port from above
    clickhouse,
    clickhouse_settings,
    clickhouse_url,
    pipeline,
)
