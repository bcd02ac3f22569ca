"""Calls to actors: patient with what passes, loud about bugs. The actors here are plain objects."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayTaskError
from redis.exceptions import ConnectionError as RedisConnectionError

from actors import pool, supervise
from actors.pool import GROUPS, OTP_LANE, FastLane, Pools, names, passes, placed
from actors.supervise import _facts
from tests.unit.actors.makers import delivery
from tocsin.errors import ConfigError, EngineUnavailable, StoreEmptied
from tocsin.records import Channel, State, encode
from tocsin.settings import Settings
from tocsin.store import SendResult

SETTINGS = Settings(push_senders=3)


class Remote:
    """A method of a handle: `remote` answers what `call` says."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self.calls: list[tuple[Any, ...]] = []

    async def remote(self, *args: Any) -> Any:
        self.calls.append(args)
        return self._call(*args)


class Handle:
    """An actor that answers every method by `call`."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.send = self.deliver = self.broadcast = self.facts = Remote(call)


def task_error(cause: Exception) -> Exception:
    return RayTaskError("send", "traceback", cause)  # type: ignore[no-untyped-call]


def pools(**handles: Handle) -> Pools:
    made = Pools(SETTINGS)
    made._handles.update({name.replace("_", "-"): handle for name, handle in handles.items()})
    return made


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_PAUSES", (0.0,))


RESULTS = [SendResult("n1:push", State.DELIVERED)]


def test_every_channel_has_its_actors() -> None:
    found = names(SETTINGS)
    assert found[Channel.PUSH] == ["sender-push-0", "sender-push-1", "sender-push-2"]
    assert found[Channel.INAPP] == ["shard-0"]


async def test_a_partition_stays_with_one_sender() -> None:
    handles = [Handle(lambda _: encode(RESULTS)) for _ in range(3)]
    made = pools(sender_push_0=handles[0], sender_push_1=handles[1], sender_push_2=handles[2])
    for partition in (0, 1, 3, 4):
        assert await made.send(Channel.PUSH, partition, [delivery()]) == RESULTS
    assert [len(handle.send.calls) for handle in handles] == [2, 2, 0]


async def test_an_actor_that_is_away_is_asked_again_with_the_same_bytes() -> None:
    errors = [ActorUnavailableError("away", None), task_error(RedisConnectionError("away"))]

    def answer(_: bytes) -> bytes:
        if errors:
            raise errors.pop()
        return encode([])

    handle = Handle(answer)
    assert await pools(otp_lane=handle).send_otp([]) == []
    assert handle.send.calls == [(b"[]",)] * 3


async def test_a_bug_in_an_actor_is_raised() -> None:
    def answer(_: bytes) -> bytes:
        raise task_error(KeyError("bug"))

    with pytest.raises(RayTaskError):
        await pools(otp_lane=Handle(answer)).send_otp([])


async def test_a_broadcast_passes_over_a_shard_that_is_away() -> None:
    def away(*_: object) -> int:
        raise ActorUnavailableError("away", None)

    made = Pools(Settings(shards=2))
    made._handles.update({"shard-0": Handle(away), "shard-1": Handle(lambda *_: 7)})
    assert await made.broadcast("ops", b"{}") == 7


async def test_a_broadcast_reaches_the_shards_beyond_the_base() -> None:
    async def living() -> list[str]:
        if away:
            raise RedisConnectionError("away")
        return ["shard-0", "shard-7"]

    away = False
    made = Pools(Settings(shards=1), living)
    made._handles.update({"shard-0": Handle(lambda *_: 7), "shard-7": Handle(lambda *_: 2)})
    assert await made.broadcast("ops", b"{}") == 9
    away = True
    assert await made.broadcast("ops", b"{}") == 7


async def test_a_shard_that_was_ended_is_looked_up_anew() -> None:
    def ended(*_: object) -> int:
        raise ActorDiedError

    made = pools(shard_0=Handle(ended))
    assert await made.broadcast("ops", b"{}") == 0
    assert "shard-0" not in made._handles


async def test_a_shard_drained_by_a_supervisor_that_died_is_closed_to_begin_anew() -> None:
    class Drained(Handle):
        def __init__(self) -> None:
            super().__init__(lambda: {"pid": 7, "ws": 1, "connections": 0, "serving": False})
            self.close = Remote(lambda: None)

    handle = Drained()
    assert await _facts(handle) == {}
    assert handle.close.calls == [()]


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (ActorUnavailableError("away", None), True),
        (ValueError("no such actor yet"), True),
        (EngineUnavailable("Ray", "x", "y"), True),
        (task_error(RedisConnectionError("away")), True),
        (task_error(EngineUnavailable("Redis", "x", "y")), True),
        (task_error(StoreEmptied()), True),
        (task_error(KeyError("bug")), False),
        (task_error(ConfigError("wrong key")), False),
    ],
)
def test_what_can_pass_and_what_cannot(error: Exception, waits: bool) -> None:
    assert passes(error) is waits


async def test_the_supervisor_stops_at_a_wrong_setting_and_waits_for_the_rest() -> None:
    def wrong() -> Any:
        raise task_error(ConfigError("TOCSIN_APNS_KEY_FILE: no such file"))

    def starting() -> Any:
        raise ActorUnavailableError("starting", None)

    with pytest.raises(ConfigError, match=r"^TOCSIN_APNS_KEY_FILE: no such file$"):
        await _facts(Handle(wrong))
    assert await _facts(Handle(starting)) == {}
    assert await asyncio.wait_for(_facts(Handle(lambda: {"pid": 7})), 5) == {"pid": 7}


def test_the_lane_is_nobody_elses_name() -> None:
    assert OTP_LANE not in {name for pool_ in names(SETTINGS).values() for name in pool_}


def test_actors_are_anywhere_unless_there_are_groups() -> None:
    assert {str(placed(SETTINGS, kind)) for kind in GROUPS} == {"{}"}
    grouped = Settings(actor_groups=True)
    assert placed(grouped, FastLane) == {"resources": {"tocsin_otp": 1}}
    assert len({str(placed(grouped, kind)) for kind in GROUPS}) == len(GROUPS)


async def test_a_shard_that_leaves_is_left_alone_and_one_that_was_only_drained_is_closed() -> None:
    said = {"pid": 1, "ws": 2, "serving": False}
    leaving, drained = (Handle(lambda s=s: s) for s in (said | {"leaving": True}, said))
    assert await _facts(leaving) == said | {"leaving": True}
    drained.close = Remote(lambda: None)  # type: ignore[attr-defined]
    assert await _facts(drained) == {}
    assert drained.close.calls == [()]  # type: ignore[attr-defined]


async def test_an_actor_that_does_not_answer_is_told_from_one_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervise, "_ANSWER_SECONDS", 0.01)

    async def never() -> None:
        await asyncio.Event().wait()

    class Hanging:
        facts = SimpleNamespace(remote=never)

    def away() -> None:
        raise ActorUnavailableError("away", None)

    found, dead, mute = await supervise._round({"a": Hanging(), "b": Handle(away)})
    assert (found, dead, mute) == ({}, [], ["a"])
