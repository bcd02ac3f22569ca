"""`tocsin whatif` on a real log and store: the figures are right, and nothing is written."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from os import environ
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis

import tocsin.log
from tests.integration.conftest import wait_until
from tocsin.ids import new_id
from tocsin.kafka import partition_for, start_producer
from tocsin.records import (
    CHANNELS,
    Channel,
    Device,
    NotificationRequest,
    Preferences,
    Priority,
    Profile,
    QuietHours,
    encode,
    lane_of,
)
from tocsin.settings import Settings
from tocsin.store import Profiles
from tocsin.topics import ALL, INVENTORY, REQUESTS, REQUESTS_BY_LANE

pytestmark = pytest.mark.integration

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
A_MOMENT = timedelta(milliseconds=5)
OFFER = {"title": "Sale", "body": "20 % off", "code": "W20"}


class Log:
    """Writes requests as if they had been accepted then."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._settings, self._producer = settings, producer

    async def ask(self, *requests: NotificationRequest) -> None:
        for each in requests:
            topic = REQUESTS_BY_LANE[lane_of(each.priority)]
            partition = partition_for(each.user_id, self._settings.partitions)
            await self.raw(topic.name, encode({"requests": [each]}), partition, each.accepted_at)

    async def raw(
        self, topic: str, value: bytes, partition: int = 0, at: datetime | None = None
    ) -> None:
        stamp = int((at or NOON).timestamp() * 1000)
        await self._producer.send_and_wait(topic, value, partition=partition, timestamp_ms=stamp)


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[Log]:
    producer = await start_producer(settings)
    yield Log(settings, producer)
    await producer.stop()


def offer(user: str, minutes: int, name: str = "", **more: Any) -> NotificationRequest:
    asked: dict[str, Any] = {
        "type": "SALE_OFFER", "data": OFFER, "priority": Priority.LOW,
        "channels": (Channel.PUSH,), **more,
    }  # fmt: skip
    at = NOON + timedelta(minutes=minutes)
    return NotificationRequest(
        notification_id=name or new_id(), user_id=user, accepted_at=at, **asked
    )


async def people(redis: Redis, *profiles: Profile) -> None:
    for each in profiles:
        await Profiles(redis).put(each)


def person(user: str, preferences: Preferences = Preferences()) -> Profile:  # noqa: B008
    device = Device("ios", "0123456789abcdef")
    return Profile(user_id=user, devices={"d": device}, preferences=preferences, version=1)


async def whatif(settings: Settings, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command as a process."""
    env = environ | {
        "TOCSIN_REDIS_URL": settings.redis_url.get_secret_value(),
        "TOCSIN_KAFKA_URL": settings.kafka_url,
        "TOCSIN_DATA_DIR": str(settings.data_dir),
        "COLUMNS": "200",
    }
    argv = [sys.executable, "-m", "streams.whatif_command", *map(str, arguments)]
    return await asyncio.to_thread(
        subprocess.run, argv, env=env, capture_output=True, text=True, timeout=60
    )


async def found(settings: Settings, *arguments: str | Path) -> dict[str, Any]:
    done = await whatif(settings, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


async def ends(settings: Settings) -> dict[tuple[str, int], int]:
    """How far every partition of every topic goes."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_servers())
    await consumer.start()
    try:
        places = [TopicPartition(t.name, p) for t in ALL for p in range(settings.partitions)]
        return {(p.topic, p.partition): e for p, e in (await consumer.end_offsets(places)).items()}
    finally:
        await consumer.stop()


async def everything(redis: Redis) -> dict[bytes, bytes | None]:
    """The whole store as it would be dumped."""
    return {key: await redis.dump(key) async for key in redis.scan_iter("*")}


def moves(report: dict[str, Any]) -> dict[tuple[str, str, str], int]:
    return {(m["channel"], m["before"], m["after"]): m["count"] for m in report["moves"]}


async def test_another_cap_is_judged_across_lanes_and_writes_nothing(
    settings: Settings, redis: Redis, log: Log, tmp_path: Path
) -> None:
    anna, ben = new_id(), new_id()
    await people(redis, person(anna), person(ben))
    first = offer(anna, 0)
    # the later one stands in the log first, and in another lane
    await log.ask(offer(anna, 10, priority=Priority.NORMAL), first, offer(ben, 5), first)
    await log.ask(offer(anna, 75), offer(anna, -600, "too early"), offer(anna, 130, "too late"))
    await log.raw(REQUESTS.name, b'{"requests":[{"user_id":3}]}')
    rules = tmp_path / "rules.toml"
    rules.write_text('[categories.promotional]\ncap = {most = 1, per = "PT1H"}')
    before = await ends(settings), await everything(redis)
    report = await found(
        settings, "--rules", rules,
        "--since", (NOON - timedelta(hours=1)).isoformat(),
        "--until", (NOON + timedelta(hours=2)).isoformat(),
    )  # fmt: skip
    assert (await ends(settings), await everything(redis)) == before
    assert moves(report) == {
        ("push", "sent", "sent"): 3,
        ("push", "sent", "suppressed: capped"): 1,
    }
    assert (report["requests"], report["repeated"], report["unreadable"]) == (4, 1, 1)
    assert (report["deliveries"], report["changed"]) == (4, 1)
    (example,) = report["examples"]
    assert example["user_id"] == anna
    assert "cap=promotional:reached" in example["trace"]
    assert f"rules={report['rules']['after']}" in example["trace"]
    assert "are those of today" in report["notes"][0]


async def test_other_preferences_are_judged_with_people_and_words_of_the_store(
    settings: Settings, redis: Redis, log: Log, tmp_path: Path
) -> None:
    anna, ben, cleo = (new_id() for _ in range(3))
    quiet = Preferences(quiet_hours=QuietHours("16:00", "18:00"))
    await people(redis, person(anna), person(ben, quiet))
    everywhere = tuple(channel for channel in CHANNELS if channel is not Channel.SMS)
    await log.ask(
        offer(anna, 301, channels=everywhere),
        offer(ben, 302),
        offer(cleo, 303),
        offer(anna, 304, data={"title": 3}),
        offer(anna, 305, "critical", priority=Priority.CRITICAL, category="security"),
    )
    patch = tmp_path / "patch.json"
    patch.write_text(
        json.dumps({"*": {"quiet_hours": None}, anna: {"opted_out": True}, "nobody": {}})
    )
    begin = NOON + timedelta(minutes=300)
    window = ("--since", begin.isoformat(), "--until", (begin + timedelta(minutes=9)).isoformat())
    report = await found(settings, "--preferences", patch, *window)
    found_ = {k: v for k, v in moves(report).items() if not k[1].startswith("dead letter")}
    assert found_ == {
        ("inapp", "sent", "suppressed: opted_out"): 1,
        ("push", "sent", "suppressed: opted_out"): 1,
        ("email", "suppressed: no_address", "suppressed: opted_out"): 1,
        ("push", "sent, after quiet_hours", "sent"): 1,
        ("push", "failed: unknown_user", "failed: unknown_user"): 1,
        ("push", "sent", "sent"): 1,
    }
    dead = [m for m in report["moves"] if m["before"].startswith("dead letter: data.")]
    assert [(m["before"] == m["after"], m["count"]) for m in dead] == [(True, 1)]
    assert any("nobody" in note for note in report["notes"])

    done = await whatif(settings, "--preferences", patch, *window, "--examples", "1")
    assert done.returncode == 0, done.stderr
    assert "5 requests, 7 deliveries: 4 would end otherwise, 3 the same." in done.stdout
    assert done.stdout.count("opt_out=opted_out") == 1
    assert "are those of today" in done.stdout


async def test_an_emptied_store_is_no_basis(
    settings: Settings, redis: Redis, log: Log, tmp_path: Path
) -> None:
    await log.ask(offer(new_id(), 0))
    await redis.flushall()
    patch = tmp_path / "patch.json"
    patch.write_text('{"*": {"opted_out": true}}')
    done = await whatif(settings, "--preferences", patch)
    assert done.returncode == 1
    assert "tocsin whatif: Redis does not hold the view of the log" in done.stderr


async def test_reading_begins_where_the_broker_says_it_was(settings: Settings, log: Log) -> None:
    topic = INVENTORY.name
    await log.raw(topic, b"before", at=datetime.now(UTC))
    told = datetime.now(UTC)
    await asyncio.to_thread(wait_until, lambda: datetime.now(UTC) > told + A_MOMENT)
    between = datetime.now(UTC)
    await log.raw(topic, b"after", at=datetime.now(UTC))
    async with tocsin.log.Log(settings, INVENTORY) as reading:
        await reading.begin_at(between)
        found = [record.value async for some in reading.read(0) for record in some]
    assert found == [b"after"]
