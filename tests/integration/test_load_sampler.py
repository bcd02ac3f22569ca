"""The sampler on real engines: what it reads, and that nothing it cannot read ends it."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.writer.tables import ACCEPTED, DELIVERIES
from loadtest.judge.lines import Skipped, read_lines
from loadtest.judge.sampler import Sampler
from loadtest.load.run_dir import RunDir, Sample
from tests.integration.conftest import free_port
from tests.integration.test_analytics_schema import insert, outcome
from tocsin.kafka import start_producer
from tocsin.records import State
from tocsin.settings import Settings
from tocsin.topics import INVENTORY

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

_SLEEPER = """
import time
hold = b'x' * 20_000_000
while time.process_time() < 0.1:  # the system counts in ticks of 10 ms
    pass
print(flush=True)
time.sleep(300)
"""


@pytest.fixture
def child() -> Iterator[int]:
    """A process below this one, which is up."""
    argv = [sys.executable, "-c", _SLEEPER]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process.pid
        process.kill()


@contextlib.asynccontextmanager
async def watching(sampler: Sampler) -> AsyncIterator[None]:
    """While it samples."""
    task = asyncio.create_task(sampler.watch())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def sampled(run_dir: RunDir, wanted: Callable[[Sample], bool]) -> Sample:
    """The first sample that is as wanted."""
    async with asyncio.timeout(100):
        while True:
            for sample in read_lines(run_dir.samples, Sample, Skipped()):
                if wanted(sample):
                    return sample
            await asyncio.sleep(0.1)


async def test_a_sample_has_what_processes_use_and_what_waits(
    pipeline: Settings, clickhouse: AsyncClient, tmp_path: Path, child: int
) -> None:
    ends = [outcome(f"n{n}", State.DELIVERED) for n in range(3)]
    await insert(clickhouse, DELIVERIES, *ends, outcome("n0", State.ACKED))
    opened = [outcome(f"n{n}", State.ACCEPTED) for n in range(5)]
    await insert(clickhouse, ACCEPTED, *opened)
    producer = await start_producer(pipeline)
    await producer.send_and_wait(INVENTORY.name, b"{}", partition=0)
    await producer.stop()
    run_dir = RunDir(tmp_path)
    async with watching(Sampler(run_dir, pipeline, os.getpid())):
        found = await sampled(run_dir, lambda s: bool(s.rss and s.lag and s.ended is not None))
    assert (found.ended, found.backlog) == (3, 2)
    assert found.lag[INVENTORY.name] == found.lag[f"{INVENTORY.name} (writer)"] == 1
    assert found.lag["notification.requests"] == 0
    assert found.rss["other"] > 20_000_000
    assert found.cpu["other"] > 0
    assert "Cores" in msgspec.json.decode(run_dir.machine.read_bytes())


async def test_what_cannot_be_read_is_left_out(tmp_path: Path, child: int) -> None:
    away = Settings(
        kafka_url=f"kafka://127.0.0.1:{free_port()}",
        clickhouse_url=f"clickhouse://tocsin:x@127.0.0.1:{free_port()}/tocsin",
        data_dir=tmp_path,
    )
    run_dir = RunDir(tmp_path)
    async with watching(Sampler(run_dir, away, os.getpid())):
        found = await sampled(run_dir, lambda s: bool(s.rss))
    assert (found.lag, found.ended, found.backlog) == ({}, None, None)
    run_dir.samples.unlink()
    async with watching(Sampler(run_dir, away, root_pid=None)):
        assert (await sampled(run_dir, lambda _: True)).rss == {}
