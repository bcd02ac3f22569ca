"""Frames for people on other shards."""

import asyncio
from collections.abc import Sequence

import pytest

from actors.sockets import peers as module
from actors.sockets.frames import Push, unpack
from actors.sockets.peers import Peers, nobody
from tocsin.records import encode
from tocsin.store.registry import Registry

PUSHES = [Push("a", b"{1}", "e", 1), Push("b", b"{2}", "e", 9), Push("c", b"{3}", "e", 2)]


class Map(Registry):
    """Who is where, as told."""

    def __init__(self, where: dict[str, list[str]]) -> None:
        self._map = where

    async def where(self, user_ids: Sequence[str]) -> list[list[str]]:
        return [self._map.get(user, []) for user in user_ids]


async def test_each_shard_is_called_once_with_its_people() -> None:
    got: dict[str, list[Push]] = {}

    async def call(shard: str, payload: bytes) -> bytes:
        got[shard] = unpack(payload)
        return encode([push.user_id == "b" for push in got[shard]])

    peers = Peers(Map({"a": ["x"], "b": ["x", "y"]}), call)
    assert await peers.push(PUSHES) == [False, True, False]
    assert got == {"x": PUSHES[:2], "y": [PUSHES[1]]}


async def test_a_shard_that_fails_costs_nobody_else_and_is_left_alone() -> None:
    calls: list[str] = []

    async def call(shard: str, payload: bytes) -> bytes:
        calls.append(shard)
        if shard == "x":
            raise ConnectionError("the actor died")
        return encode([True] * len(unpack(payload)))

    peers = Peers(Map({"a": ["x"], "b": ["y"]}), call)
    for _ in range(2):
        assert await peers.push(PUSHES) == [False, True, False]
    assert sorted(calls) == ["x", "y", "y"]


async def test_a_shard_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.01)

    async def call(shard: str, payload: bytes) -> bytes:
        await asyncio.Event().wait()
        return b""

    assert await Peers(Map({"a": ["x"]}), call).push(PUSHES) == [False] * 3


@pytest.mark.parametrize("answer", [b"[true,true]", b"[]", b"nonsense"])
async def test_an_answer_that_makes_no_sense_is_no_answer(answer: bytes) -> None:
    async def call(shard: str, payload: bytes) -> bytes:
        return answer

    assert await Peers(Map({"a": ["x"]}), call).push(PUSHES) == [False] * 3


async def test_without_a_way_to_others_nothing_is_raised() -> None:
    assert await Peers(Map({"a": ["x"]}), nobody).push(PUSHES) == [False] * 3
