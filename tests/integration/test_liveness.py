"""The liveness of real workers: red when one is stuck, green while it idles or Kafka is away."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.integration.conftest import _running, free_port, wait_until
from tests.integration.stuck_program import PATIENCE
from tocsin import kafka_ping
from tocsin.engines import broker as tansu
from tocsin.kafka import ensure_topics, start_producer
from tocsin.settings import Settings
from tocsin.topics import RETRY_LONG

pytestmark = pytest.mark.integration


class Worker:
    """The stuck program, and what its probes say."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.port = free_port()
        environment = os.environ | {
            "TOCSIN_KAFKA_URL": settings.kafka_url,
            "TOCSIN_DATA_DIR": str(settings.data_dir),
            "TOCSIN_METRICS_PORT": str(self.port),
            "TOCSIN_PROCESS_NAME": name,
        }
        argv = [sys.executable, "-m", "tests.integration.stuck_program"]
        self.process = subprocess.Popen(argv, env=environment)

    def says(self, path: str) -> tuple[int, str]:
        """Status and text; status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (OSError, HTTPException):
            return 0, ""

    def becomes(self, path: str, status: int, text: str = "") -> None:
        """Wait for such an answer."""

        def so() -> bool:
            assert self.process.poll() is None
            got, said = self.says(path)
            return got == status and text in said

        wait_until(so, 60)


@pytest.fixture
def hung() -> Iterator[int]:
    """The port of somebody who takes every question and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Settings, Iterator[object]]]:
    """A broker of the test's own, to be ended by asking for the next of it."""
    port = free_port()
    broker = _running(tansu.command(port))
    next(broker)
    wait_until(lambda: tansu.answers(port), 60)
    settings = Settings(kafka_url=f"kafka://127.0.0.1:{port}", data_dir=tmp_path)
    asyncio.run(ensure_topics(settings))
    yield settings, broker
    next(broker, None)


@pytest.fixture
def workers(own: tuple[Settings, Iterator[object]]) -> Iterator[tuple[Worker, Worker]]:
    """Two, each in a group of its own."""
    made = Worker(own[0], "hanging"), Worker(own[0], "blocked")
    yield made
    for worker in made:
        worker.process.kill()
        worker.process.wait(30)


def tell(settings: Settings, *what: str) -> None:
    """Records into one topic, each in a partition of its own."""

    async def send() -> None:
        producer = await start_producer(settings)
        for partition, value in enumerate(what):
            await producer.send_and_wait(RETRY_LONG.name, value.encode(), partition=partition)
        await producer.stop()

    asyncio.run(send())


def test_who_is_stuck_is_not_alive_and_who_idles_or_waits_for_kafka_is(
    own: tuple[Settings, Iterator[object]], workers: tuple[Worker, Worker], hung: int
) -> None:
    settings, broker = own
    hanging, blocked = workers
    for worker in workers:
        worker.becomes("/readyz", 200)
    end = time.monotonic() + 1.5 * PATIENCE
    while time.monotonic() < end:
        for worker in workers:
            assert worker.says("/livez") == (200, "ok\n"), "it idles"
        time.sleep(0.2)

    tell(settings, f"hanging hang {hung}", "blocked block 0")
    hanging.becomes("/livez", 503, f"consumer of {RETRY_LONG.name}: no progress for")
    blocked.becomes("/livez", 503, "event loop: no progress for")
    assert blocked.says("/metrics")[0] == 200

    next(broker, None)
    hanging.becomes("/livez", 200, "Kafka does not answer")
    blocked.becomes("/livez", 503, "event loop: no progress for")


def test_kafka_is_there_when_it_answers_and_not_when_it_only_accepts(
    kafka_url: str, hung: int
) -> None:
    servers = Settings(kafka_url=kafka_url).kafka_servers()
    nobody = f"127.0.0.1:{free_port()}"
    assert kafka_ping.answers(servers, 30)
    assert kafka_ping.answers([nobody, *servers], 30)
    assert not kafka_ping.answers([f"127.0.0.1:{hung}", nobody], 0.5)
    assert not kafka_ping.answers(["no port here"])
