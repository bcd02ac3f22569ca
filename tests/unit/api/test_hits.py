"""Events on their way into Kafka: durable while it is well, and never in anybody's way."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from msgspec.structs import replace
from redis.exceptions import ConnectionError as RedisConnectionError

from api import hits
from api.hits import Hits
from tests.unit.tocsin.link_makers import AT
from tocsin.metrics import LINKS_LOST
from tocsin.records import Engagement, decode
from tocsin.store.clicks import Message

CLICK = Engagement("e1", "click", "n1", "ada", AT, "sms", "SALE_OFFER")


class World:
    """Kafka, who is registered, and the last clicks."""

    def __init__(self) -> None:
        self.written: list[Engagement] = []
        self.last: dict[str, Message] = {}
        self.people = {"ada"}
        self.well, self.away = asyncio.Event(), False
        self.well.set()
        self.store_away = False
        me: Any = self
        self.hits = Hits(me, me, me)

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


def lost(kind: str = "click") -> float:
    return float(LINKS_LOST.labels(kind)._value.get())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """As patient as a slow machine needs."""
    monkeypatch.setattr(hits, "PATIENCE_SECONDS", 60)
    return World()


async def test_it_is_durable_when_it_returns_and_the_last_click_is_remembered(
    world: World,
) -> None:
    await world.hits.keep(CLICK)
    assert world.written == [CLICK]
    assert world.last == {"ada": Message("n1", "sms", "SALE_OFFER")}


async def test_a_machines_click_and_an_open_are_kept_and_nothing_is_owed_to_them(
    world: World,
) -> None:
    for event in (replace(CLICK, bot=True, bot_reason="head"), replace(CLICK, kind="open")):
        await world.hits.keep(event)
    assert len(world.written) == 2
    assert world.last == {}


async def test_of_somebody_erased_nothing_is_kept(world: World) -> None:
    world.people.clear()
    await world.hits.keep(CLICK)
    assert (world.written, world.last) == ([], {})


async def test_with_the_store_away_it_is_kept_all_the_same(world: World) -> None:
    world.store_away = True
    await world.hits.keep(CLICK)
    assert world.written == [CLICK]


async def test_a_slow_kafka_holds_nobody_up_and_gets_it_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "PATIENCE_SECONDS", 0)
    world.well.clear()
    await world.hits.keep(CLICK)
    assert world.written == []
    world.well.set()
    await world.hits.close()
    assert world.written == [CLICK]


async def test_what_kafka_does_not_take_is_counted_and_said_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    before = lost()
    world.away = True
    for _ in range(5):
        await world.hits.keep(CLICK)
    assert lost() - before == 5
    assert len([r for r in caplog.records if r.levelname == "ERROR"]) == 1
    world.away = False
    await world.hits.keep(CLICK)
    world.away = True
    await world.hits.keep(CLICK)
    assert len([r for r in caplog.records if r.levelname == "ERROR"]) == 2, "a second outage"


async def test_so_many_wait_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(hits, "MOST", 3)
    before = lost()
    world.well.clear()
    for _ in range(10):
        await world.hits.keep(CLICK)
    assert lost() - before == 7
    world.well.set()
    await world.hits.close()
    assert len(world.written) == 3
