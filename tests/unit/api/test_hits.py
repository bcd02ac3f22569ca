"""Events on their way into Kafka: on disk until they are there, and never in anybody's way."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from msgspec.structs import replace
from redis.exceptions import ConnectionError as RedisConnectionError

from api import hits
from api.hits import Hits
from api.journal import Journal
from tests.unit.tocsin.link_makers import AT
from tocsin.metrics import LINKS_LOST
from tocsin.records import Engagement, decode
from tocsin.store.clicks import Message

CLICK = Engagement("e1", "click", "n1", "ada", AT, "sms", "SALE_OFFER")


class World:
    """Kafka, who is registered, the last clicks, and a disk."""

    def __init__(self, directory: Path) -> None:
        self.written: list[Engagement] = []
        self.last: dict[str, Message] = {}
        self.people = {"ada"}
        self.well, self.away = asyncio.Event(), False
        self.well.set()
        self.store_away = False
        me: Any = self
        self.directory, self.lost_before = directory, lost()
        self.hits = Hits(me, me, me, Journal(directory))

    async def one(self, *given: Any) -> bool:
        if len(given) == 1:
            if self.store_away:
                raise RedisConnectionError
            return given[0] in self.people
        await self.well.wait()
        if self.away:
            raise KafkaTimeoutError
        self.written.append(decode(Engagement, given[2]))
        return True

    async def remember(self, user_id: str, at: Any, message: Message) -> None:
        if self.store_away:
            raise RedisConnectionError
        self.last[user_id] = message


def errors(caplog: pytest.LogCaptureFixture) -> int:
    return len([record for record in caplog.records if record.levelname == "ERROR"])


def lost(kind: str = "click") -> float:
    return float(LINKS_LOST.labels(kind)._value.get())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """As patient as a slow machine needs."""
    monkeypatch.setattr(hits, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(hits, "AGAIN_SECONDS", 0)
    return World(tmp_path / "clicks")


async def settled(world: World) -> None:
    """Return when nothing is on its way any more."""
    await asyncio.wait_for(world.hits.close(), 60)


def in_journal(world: World) -> list[Engagement]:
    lines = [line for path in world.directory.iterdir() for line in path.read_bytes().splitlines()]
    return [decode(Engagement, line) for line in lines]


async def test_it_is_in_the_journal_when_it_returns_and_in_kafka_soon(world: World) -> None:
    world.well.clear()
    await world.hits.keep(CLICK)
    assert (world.written, in_journal(world)) == ([], [CLICK])
    world.well.set()
    await settled(world)
    assert (world.written, in_journal(world)) == ([CLICK], [])
    assert world.last == {"ada": Message("n1", "sms", "SALE_OFFER")}


async def test_a_machines_click_and_an_open_are_kept_and_nothing_is_owed_to_them(
    world: World,
) -> None:
    for event in (replace(CLICK, bot=True, bot_reason="head"), replace(CLICK, kind="open")):
        await world.hits.keep(event)
    await settled(world)
    assert len(world.written) == 2
    assert world.last == {}


async def test_of_somebody_erased_nothing_is_kept(world: World) -> None:
    world.people.clear()
    await world.hits.keep(CLICK)
    await settled(world)
    assert (world.written, world.last, in_journal(world)) == ([], {}, [])


async def test_with_the_store_away_it_is_kept_all_the_same(world: World) -> None:
    world.store_away = True
    await world.hits.keep(CLICK)
    await settled(world)
    assert world.written == [CLICK]


async def test_what_kafka_does_not_take_waits_and_that_is_said_once_an_outage(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for outage in (1, 2):
        world.away = True
        for _ in range(5):
            await world.hits.keep(CLICK)
        async with asyncio.timeout(60):
            while errors(caplog) < outage:
                await asyncio.sleep(0)
        world.away = False
        async with asyncio.timeout(60):
            while len(world.written) < 5 * outage:
                await asyncio.sleep(0)
    await settled(world)
    assert (errors(caplog), lost()) == (2, world.lost_before)


async def test_what_is_on_its_way_at_the_end_is_taken_up_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.well.clear()
    await world.hits.keep(CLICK)
    with monkeypatch.context() as patched:
        patched.setattr(hits, "_CLOSE_SECONDS", 0)
        await world.hits.close()
    (path,) = world.directory.iterdir()
    path.write_bytes(path.read_bytes() + b"not an event\n")
    world.well.set()
    me: Any = world
    following = Hits(me, me, me, Journal(world.directory))
    assert await following.take_up() == 1
    await following.close()
    assert world.written == [CLICK]
    assert list(world.directory.iterdir()) == []


async def test_where_there_is_no_disk_it_is_in_kafka_when_it_returns(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.directory.write_text("a file where a directory should be")
    await world.hits.keep(CLICK)
    await world.hits.keep(CLICK)
    assert world.written == [CLICK, CLICK]
    assert len([r for r in caplog.records if r.levelname == "WARNING"]) == 1
    world.away = True
    await world.hits.keep(CLICK)
    assert (lost() - world.lost_before, errors(caplog)) == (1, 1)


async def test_where_there_is_no_disk_a_slow_kafka_holds_nobody_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "PATIENCE_SECONDS", 0)
    world.directory.write_text("a file where a directory should be")
    world.well.clear()
    await world.hits.keep(CLICK)
    assert world.written == []
    world.well.set()
    await settled(world)
    assert world.written == [CLICK]


async def test_so_many_wait_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "MOST", 3)
    world.well.clear()
    for _ in range(10):
        await world.hits.keep(CLICK)
    assert lost() - world.lost_before == 7
    world.well.set()
    await settled(world)
    assert len(world.written) == 3
