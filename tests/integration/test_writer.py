"""The writer against a real broker and a real ClickHouse."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.client import connect
from analytics.migrate import migrate
from tests.integration.clickhouse import start_engine, stop, url_of
from tests.integration.conftest import free_port
from tests.integration.writing import AT, Traffic, produce, start_writer
from tocsin.groups import ANALYTICS
from tocsin.kafka import ensure_topics
from tocsin.lag import LagMeter
from tocsin.records import (
    Channel,
    DeadLetter,
    Engagement,
    InventoryChange,
    NotificationRequest,
    OtpChallenge,
    Outcome,
    OutcomeBatch,
    State,
    encode,
)
from tocsin.settings import Settings

pytestmark = pytest.mark.integration


@contextmanager
def writer(settings: Settings) -> Iterator["subprocess.Popen[str]"]:
    """A running writer, stopped at the end."""
    process = start_writer(settings)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


async def lag(settings: Settings) -> int:
    """How many requests the writer has not finished: at least so many (`Positions`)."""
    async with LagMeter(settings) as meter:
        return (await meter.positions()).lag()[ANALYTICS, "notification.requests"]


async def test_every_topic_arrives_in_its_table(
    pipeline: Settings, clickhouse: AsyncClient
) -> None:
    traffic = Traffic(pipeline)
    kind = traffic.kind
    values = [
        ("notification.otp", 1, encode(
            OtpChallenge(f"{kind}-c", "u", Channel.SMS, "login", AT + timedelta(minutes=5)))),
        ("engagement.events", 0, encode(
            Engagement(f"{kind}-e", "click", "n", "u", AT, "push", kind, "https://shop.example/?a=1"))),
        ("inventory.changes", 2, encode(
            InventoryChange(f"{kind}-i", kind, AT, delta=-3, location="Leeds"))),
        ("delivery.outcomes", 1, encode(OutcomeBatch([Outcome(
            f"{kind}-d:push", f"{kind}-d", "u", "push", kind, State.DEFERRED, 0, AT, AT,
            reason="quiet_hours", template_version=3, trace="opt_out=no;quiet_hours=yes",
            due_at=AT + timedelta(hours=8))]))),
        ("notification.dead", 3, encode(
            DeadLetter(kind, 1, 2, "Invalid", "why", "e30=", AT, notification_id="n"))),
    ]  # fmt: skip
    with writer(pipeline):
        await produce(pipeline, values)
        await traffic.send(100)
        await traffic.arrive(clickhouse)
        async with asyncio.timeout(30):
            while not (letters := await clickhouse.query(
                "SELECT topic, partition, offset, reason, notification_id FROM tocsin.dead_letters"
                " WHERE topic = {t:String}", {"t": kind})).result_rows:  # fmt: skip
                await asyncio.sleep(0.1)
    assert letters.result_rows == [(kind, 1, 2, "why", "n")]
    assert await traffic.rows(clickhouse) == (100, 100, 100)
    looks = await clickhouse.query(
        "SELECT channel, state, reason, trace, due_at - at, template_version FROM tocsin.decisions"
        f" WHERE notification_id = '{kind}-d'"
    )
    assert looks.result_rows == [
        ("push", "deferred", "quiet_hours", "opt_out=no;quiet_hours=yes", 28_800, 3)
    ]
    otp = await clickhouse.query(
        "SELECT type, topic, partition, accepted_at > '2026-01-01' FROM tocsin.requests"
        f" WHERE notification_id = '{kind}-c'"
    )
    assert otp.result_rows == [("OTP", "notification.otp", 1, 1)]
    stock = await clickhouse.query(
        f"SELECT available, delta, location, version FROM tocsin.inventory WHERE sku = '{kind}'"
    )
    assert stock.result_rows == [(None, -3, "Leeds", None)]
    clicks = await clickhouse.query(
        f"SELECT kind, link, bot, at FROM tocsin.engagement WHERE type = '{kind}'"
    )
    assert clicks.result_rows == [
        ("click", "https://shop.example/?a=1", False, AT.replace(tzinfo=None))
    ]


async def test_what_cannot_be_read_does_not_stop_the_rest(
    pipeline: Settings, clickhouse: AsyncClient
) -> None:
    traffic = Traffic(pipeline)
    good = encode(NotificationRequest(f"{traffic.kind}-x", "u", traffic.kind, accepted_at=AT))
    poison = [
        (topic, 0, value)
        for topic in ("notification.requests", "delivery.outcomes", "inventory.changes")
        for value in (b"", b"\xff", b"{}", b'{"outcomes":[{"delivery_id":1}]}')
    ]
    half = b'{"requests":[{"user_id":"no id"},%s]}' % good
    with writer(pipeline):
        await produce(pipeline, [*poison, ("notification.requests", 0, half)])
        await traffic.send(50)
        await traffic.arrive(clickhouse)
    assert await traffic.rows(clickhouse) == (51, 50, 50)


async def test_sigterm_writes_what_was_read_and_commits_it(
    pipeline: Settings, clickhouse: AsyncClient
) -> None:
    traffic = Traffic(pipeline)
    process = start_writer(pipeline)
    await traffic.send(200)
    await traffic.arrive(clickhouse)
    await traffic.send(200)
    process.terminate()
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    # what it had not read yet is still in Kafka; nothing is there twice
    with writer(pipeline):
        await traffic.arrive(clickhouse)
    assert await traffic.rows(clickhouse) == (400, 400, 400)


async def test_clickhouse_away_is_one_line_and_no_loss(kafka_url: str, tmp_path: Path) -> None:
    port, home = free_port(), tmp_path
    settings = Settings(clickhouse_url=url_of(port), kafka_url=kafka_url, data_dir=home)
    await ensure_topics(settings)
    engine = start_engine(port, home / "data", home)
    client = await connect(settings, database="default")
    await migrate(client)
    traffic = Traffic(settings)
    process, output = start_writer(settings), ""
    try:
        await traffic.send(100)
        await traffic.arrive(client)
        os.kill(engine.pid, signal.SIGKILL)
        engine.communicate()
        # sending goes on; Kafka holds what comes of it, and says how much that is
        await traffic.send(300)
        for line in process.stdout or ():
            output += line
            if "takes no rows" in line:
                break
        assert process.poll() is None
        assert await lag(settings) > 0
        engine = start_engine(port, home / "data", home)
        await traffic.arrive(client)
        assert await traffic.rows(client) == (400, 400, 400)
        async with asyncio.timeout(30):
            while await lag(settings):
                await asyncio.sleep(0.1)
    finally:
        process.terminate()
        output += process.communicate(timeout=30)[0]
        await client.close()
        stop(engine)
    assert process.returncode == 0
    assert len(re.findall("ClickHouse takes no rows", output)) == 1, output
    assert len(re.findall("ClickHouse is back after", output)) == 1, output


async def test_it_stops_while_clickhouse_is_away(kafka_url: str, tmp_path: Path) -> None:
    port, home = free_port(), tmp_path
    settings = Settings(clickhouse_url=url_of(port), kafka_url=kafka_url, data_dir=home)
    await ensure_topics(settings)
    engine = start_engine(port, home / "data", home)
    client = await connect(settings, database="default")
    await migrate(client)
    traffic = Traffic(settings)
    with writer(settings) as process:
        await traffic.send(10)
        await traffic.arrive(client)
        stop(engine)
        await traffic.send(10)
        for line in process.stdout or ():
            if "takes no rows" in line:
                break
        process.terminate()
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "stays in Kafka" in output
    engine = start_engine(port, home / "data", home)
    with writer(settings):
        await traffic.arrive(client)
    assert await traffic.rows(client) == (20, 20, 20)
    await client.close()
    stop(engine)


async def test_without_an_engine_it_says_which_and_ends(tmp_path: Path) -> None:
    nowhere = Settings(clickhouse_url=url_of(free_port()), data_dir=tmp_path)
    process = start_writer(nowhere)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "ClickHouse does not answer at 127.0.0.1" in output
