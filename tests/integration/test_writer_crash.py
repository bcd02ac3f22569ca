"""Dying anywhere: every row arrives, and arrives once. Merges are off, so nothing is hidden."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer
from clickhouse_connect.driver import AsyncClient

from analytics.client import connect
from analytics.writer.__main__ import consumer_of
from analytics.writer.sink import Shipment
from analytics.writer.writer import Writer
from tests.integration.conftest import free_port, wait_until
from tests.integration.writing import Traffic, start_writer
from tocsin.engines import broker as tansu
from tocsin.kafka import ensure_topics
from tocsin.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

TABLES = "requests", "accepted", "deliveries"


@pytest.fixture(autouse=True)
async def unmerged(clickhouse: AsyncClient) -> AsyncIterator[None]:
    """A row inserted twice stays two rows."""
    for table in TABLES:
        await clickhouse.command(f"SYSTEM STOP MERGES tocsin.{table}")
    yield
    for table in TABLES:
        await clickhouse.command(f"SYSTEM START MERGES tocsin.{table}")


@asynccontextmanager
async def another_broker(pipeline: Settings) -> AsyncIterator[Settings]:
    """An empty log, in memory and gone at the end."""
    port = free_port()
    broker = await asyncio.create_subprocess_exec(*tansu.command(port))
    try:
        wait_until(lambda: tansu.answers(port))
        settings = pipeline.model_copy(update={"kafka_url": f"kafka://127.0.0.1:{port}"})
        await ensure_topics(settings)
        yield settings
    finally:
        broker.terminate()
        await broker.wait()


@pytest.fixture
async def two_may_join(pipeline: Settings) -> AsyncIterator[Settings]:
    """A broker of its own: when two members leave Tansu 0.6 together, their group is stuck for
    good, waiting for a leader that is gone."""
    if os.environ.get("TOCSIN_TEST_KAFKA_URL"):
        yield pipeline
        return
    async with another_broker(pipeline) as settings:
        yield settings


async def test_kill_9_again_and_again(pipeline: Settings, clickhouse: AsyncClient) -> None:
    traffic = Traffic(pipeline)
    for _ in range(2):
        process = start_writer(pipeline)
        for _ in range(4):
            await traffic.send(500)
        while max(await traffic.rows(clickhouse)) < traffic.sent - 1500:
            await asyncio.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    process = start_writer(pipeline)
    await traffic.arrive(clickhouse)
    process.terminate()
    process.communicate(timeout=30)
    assert await traffic.rows(clickhouse) == (4000, 4000, 4000)


class Died(Exception):
    """Stands in for kill -9 at one exact line."""


async def _die(*_: object) -> None:
    raise Died


class Member:
    """One writer of the group, in this process, so that it can die where a test wants it to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.stop = asyncio.Event()

    async def __aenter__(self) -> "Member":
        self._client = await connect(self._settings)
        self._consumer: AIOKafkaConsumer = consumer_of(self._settings)
        self.writer = Writer(self._settings, self._consumer, self._client, self.stop)
        self.writer.subscribe()
        await self._consumer.start()
        await self.writer.recover()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._client.close()


def _before_the_plan(monkeypatch: pytest.MonkeyPatch, writer: Writer) -> None:
    monkeypatch.setattr(writer._sink, "plan", _die)


def _after_the_plan(monkeypatch: pytest.MonkeyPatch, writer: Writer) -> None:
    monkeypatch.setattr(writer._sink, "insert", _die)


def _between_two_tables(monkeypatch: pytest.MonkeyPatch, writer: Writer) -> None:
    send, sent = writer._sink._send, list[Shipment]()

    async def send_one(shipment: Shipment) -> None:
        if sent:
            raise Died
        await send(shipment)
        sent.append(shipment)

    monkeypatch.setattr(writer._sink, "_send", send_one)


def _after_the_insert(monkeypatch: pytest.MonkeyPatch, writer: Writer) -> None:
    monkeypatch.setattr(writer, "_commit", _die)


Crash = Callable[[pytest.MonkeyPatch, Writer], None]
CRASHES: list[Crash] = [_before_the_plan, _after_the_plan, _between_two_tables, _after_the_insert]


async def _finished(traffic: Traffic, clickhouse: AsyncClient, *members: Member) -> None:
    """Run the members until everything has arrived."""
    runs = [asyncio.create_task(member.writer.run()) for member in members]
    await traffic.arrive(clickhouse)
    for member in members:
        member.stop.set()
    await asyncio.gather(*runs)


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: crash.__name__)
async def test_dying_at_this_line(
    pipeline: Settings, clickhouse: AsyncClient, crash: Crash, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = Traffic(pipeline)
    async with Member(pipeline) as first:
        crash(monkeypatch, first.writer)
        await traffic.send(500)
        with pytest.raises(Died):
            await first.writer.run()
    await traffic.send(500)
    async with Member(pipeline) as second:
        await _finished(traffic, clickhouse, second)
    assert await traffic.rows(clickhouse) == (1000, 1000, 1000)


@pytest.mark.parametrize("more", [-100, 0])
async def test_a_log_that_begins_again_is_not_taken_for_the_old_one(
    pipeline: Settings, clickhouse: AsyncClient, more: int
) -> None:
    """The embedded broker forgets; ClickHouse remembers tokens and plans of the same offsets."""
    for count in (300, 300 + more):
        async with another_broker(pipeline) as settings, Member(settings) as member:
            traffic = Traffic(settings)
            await traffic.send(count)
            await _finished(traffic, clickhouse, member)
            assert await traffic.rows(clickhouse) == (count, count, count)


async def test_a_block_left_behind_is_finished_by_two_who_share_its_partitions(
    two_may_join: Settings, clickhouse: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = Traffic(two_may_join)
    async with Member(two_may_join) as first:
        _after_the_insert(monkeypatch, first.writer)
        await traffic.send(500)
        with pytest.raises(Died):
            await first.writer.run()
    await traffic.send(500)
    async with Member(two_may_join) as one, Member(two_may_join) as other:
        await _finished(traffic, clickhouse, one, other)
    assert await traffic.rows(clickhouse) == (1000, 1000, 1000)


async def test_a_member_joining_in_the_middle_takes_over_without_a_trace(
    two_may_join: Settings, clickhouse: AsyncClient
) -> None:
    traffic = Traffic(two_may_join)

    async def keep_sending(times: int) -> None:
        for _ in range(times):
            await traffic.send(200)

    async with Member(two_may_join) as one:
        run: Awaitable[None] = asyncio.create_task(one.writer.run())
        await keep_sending(5)
        async with Member(two_may_join) as other:
            second = asyncio.create_task(other.writer.run())
            await keep_sending(5)
            await traffic.arrive(clickhouse)
            other.stop.set()
            await second
        await keep_sending(2)
        await traffic.arrive(clickhouse)
        one.stop.set()
        await run
    books = await clickhouse.query(
        "SELECT accepted, delivered, drift FROM tocsin.conservation WHERE type = {t:String}",
        {"t": traffic.kind},
    )
    assert books.result_rows == [(2400, 2400, 0)]
