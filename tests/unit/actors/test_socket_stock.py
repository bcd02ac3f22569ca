"""Live stock: what is told to whom, and in which order."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, cast

import pytest

from actors.sockets import stock as module
from actors.sockets import wire
from actors.sockets.hub import Hub
from actors.sockets.peers import Peers
from actors.sockets.socket import Socket
from actors.sockets.stock import StockFeed
from tests.unit.actors.socket_fakes import FakeLine
from tocsin.errors import StoreEmptied
from tocsin.records import encode
from tocsin.store.inbox import Inbox
from tocsin.store.registry import Registry


class Store:
    """Stock that is read when a test lets it be."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}
        self.reads: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()
        self.error: Exception | None = None

    async def read(self, skus: Sequence[str]) -> list[int | None]:
        self.reads.append(list(skus))
        answer = [self.left.get(sku) for sku in skus]
        self.begun.set()
        await self.open.wait()
        if self.error:
            raise self.error
        return answer


class Line(FakeLine):
    """A line that takes whole frames of the protocol, too: short ones here."""

    def write_whole(self, data: bytes) -> None:
        assert data == wire.text(data[2:])
        self.write(data[2:])


class Rig:
    """A feed that runs, and sockets."""

    def __init__(self) -> None:
        self.store = Store()
        none = cast(Any, None)
        self.hub = Hub(cast(Inbox, none), cast(Registry, none), cast(Peers, none))
        self.feed = StockFeed(self.hub, self.store.read)
        self.task: asyncio.Task[None] | None = None

    def watch(self, *skus: str, line: Line | None = None) -> Line:
        line = line or Line()
        self.feed.watch(cast(Socket, line), (), skus)
        return line

    def change(self, told: dict[str, int] | None = None, **left: int) -> None:
        """The store first, then the publication, which may say something else."""
        self.store.left |= left
        self.feed.changed(encode(list((told or left).items())))

    async def settled(self) -> None:
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self.feed.run())
        for _ in range(20):
            await asyncio.sleep(0)

    async def end(self) -> None:
        if self.task:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    yield made
    await made.end()


def said(line: Line) -> list[tuple[str, int]]:
    """(sku, available) of all it was sent, and that nothing else was."""
    assert all(frame["op"] == "stock" for frame in line.sent), json.dumps(line.sent)
    return [(frame["sku"], frame["available"]) for frame in line.sent]


async def test_who_begins_to_watch_is_told_what_is_known_in_one_call(rig: Rig) -> None:
    rig.store.left = {"A": 3, "B": 0}
    line = rig.watch("A", "B", "unknown")
    await rig.settled()
    assert sorted(said(line)) == [("A", 3), ("B", 0)]
    assert [sorted(skus) for skus in rig.store.reads] == [["A", "B", "unknown"]]


async def test_a_change_is_told_to_who_watches_it_and_costs_others_nothing(rig: Rig) -> None:
    rig.store.left = {"A": 3, "B": 4}
    one, two = rig.watch("A"), rig.watch("B")
    await rig.settled()
    rig.change(A=2, C=9)
    await rig.settled()
    assert said(one) == [("A", 3), ("A", 2)]
    assert said(two) == [("B", 4)]
    rig.change(C=8)
    await rig.settled()
    assert len(rig.store.reads) == 2


async def test_a_second_watcher_is_told_and_the_first_not_again(rig: Rig) -> None:
    rig.store.left = {"A": 3}
    first = rig.watch("A")
    await rig.settled()
    second = rig.watch("A")
    await rig.settled()
    assert said(first) == said(second) == [("A", 3)]


async def test_an_old_publication_does_not_bring_an_old_value_back(rig: Rig) -> None:
    line = rig.watch("A")
    rig.change(A=1)
    await rig.settled()
    rig.change(told={"A": 7})
    rig.change(told={"A": 1})
    await rig.settled()
    assert said(line) == [("A", 1)]


async def test_what_changes_during_a_read_is_told_after_it(rig: Rig) -> None:
    rig.store.left = {"A": 3}
    rig.store.open.clear()
    line = rig.watch("A")
    await rig.settled()  # the read has begun and has its answer: 3
    rig.change(A=2)
    late = rig.watch("A")
    rig.store.open.set()
    await rig.settled()
    assert said(line) == [("A", 3), ("A", 2)]
    assert said(late)[-1] == ("A", 2)


async def test_what_was_not_heard_is_read_anew_and_only_news_are_told(rig: Rig) -> None:
    rig.store.left = {"A": 3, "B": 4}
    line = rig.watch("A", "B")
    await rig.settled()
    rig.store.left["B"] = 0
    rig.feed.missed()
    await rig.settled()
    assert sorted(said(line)) == [("A", 3), ("B", 0), ("B", 4)]


@pytest.mark.parametrize("error", [StoreEmptied(), ConnectionError("away")])
async def test_a_store_that_fails_delays_and_loses_nothing(rig: Rig, error: Exception) -> None:
    rig.store.left = {"A": 3}
    line = rig.watch("A")
    rig.store.error = error
    await rig.settled()
    assert rig.task is not None
    with pytest.raises(type(error)):
        await rig.task
    rig.store.error = None
    await rig.settled()
    assert said(line) == [("A", 3)]


async def test_who_stopped_watching_before_the_answer_gets_none(rig: Rig) -> None:
    rig.store.left = {"A": 3, "B": 4}
    line, other = Line(), rig.watch("A")
    rig.feed.watch(cast(Socket, line), (), ["A"])
    rig.feed.watch(cast(Socket, line), ["A"], ["B"])
    await rig.settled()
    assert said(line) == [("B", 4)]
    assert said(other) == [("A", 3)]
    rig.feed.watch(cast(Socket, line), ["B"], ())
    assert rig.feed._told == {"A": 3}


async def test_more_than_one_read_holds_is_read_in_turns(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    rig.store.left = {"A": 1, "B": 2, "C": 3}
    line = rig.watch("A", "B", "C")
    await rig.settled()
    assert sorted(said(line)) == [("A", 1), ("B", 2), ("C", 3)]
    assert [len(skus) for skus in rig.store.reads] == [2, 1]


async def test_a_watcher_that_does_not_read_is_closed_and_harms_nobody(rig: Rig) -> None:
    rig.store.left = {"A": 3}
    slow, fast = rig.watch("A"), rig.watch("A")
    slow.writable = False
    await rig.settled()
    assert slow.ended is not None
    assert slow.ended.name == "slow"
    assert said(fast) == [("A", 3)]
