"""The console's parts: asked once however many look, and merged honestly."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.ops.channels import channels_now
from api.ops.fresh import Fresh
from api.ops.history import cursor_of, place_of
from api.ops.providers import merged
from tocsin.errors import EngineUnavailable, Invalid
from tocsin.spread import Spread
from tocsin.store.provider_states import BreakerState, ProviderState

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Engine:
    """Counts how often it is asked; `away` does not answer, `slow` never does."""

    def __init__(self) -> None:
        self.asked, self.away, self.slow = 0, False, False
        self.now = 0.0
        self.fresh = Fresh(self.ask, 1.0, 0.01, lambda: self.now)

    async def ask(self) -> int:
        self.asked += 1
        if self.away:
            raise EngineUnavailable("Kafka", "here", "start it")
        if self.slow:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        return self.asked


async def test_many_who_look_at_once_ask_once() -> None:
    engine = Engine()
    assert await asyncio.gather(*(engine.fresh.get() for _ in range(20))) == [1] * 20
    engine.now = 0.9
    assert await engine.fresh.get() == 1
    engine.now = 1.0
    assert await engine.fresh.get() == 2


async def test_an_engine_that_is_away_is_not_asked_more_often(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = Engine()
    engine.away = True
    for engine.now in (0.0, 0.5, 1.0, 1.5, 2.0):
        assert await engine.fresh.get() is None
    assert engine.asked == 3
    assert caplog.text.count("goes without") == 1, "said once"
    engine.away, engine.slow, engine.now = False, True, 3.0
    assert await engine.fresh.get() is None
    engine.slow, engine.now = False, 4.0
    assert await engine.fresh.get() == 5


def state(process: str, found: BreakerState, milliseconds: float, calls: int = 10) -> ProviderState:
    spread = Spread()
    for _ in range(calls):
        spread.add(milliseconds)
    since = NOW + timedelta(seconds=len(process))
    return ProviderState(
        "apns", process, "push", found, since, NOW, found.value, calls, 1, spread.pairs()
    )


def test_the_worst_breaker_counts_and_calls_add_up() -> None:
    (one,) = merged(
        [
            state("sender-0", BreakerState.CLOSED, 10, 90),
            state("sender-10", BreakerState.OPEN, 1_000),
            state("sender-2", BreakerState.HALF_OPEN, 1_000),
        ]
    )
    assert (one.state, one.reason, one.since) == ("open", "open", NOW + timedelta(seconds=9))
    assert (one.calls, one.failures) == (110, 3)
    assert one.p50_ms is not None
    assert one.p99_ms is not None
    assert 8 <= one.p50_ms <= 12
    assert 800 <= one.p99_ms <= 1_200
    assert merged([]) == []


def test_channels_are_there_whatever_is_known() -> None:
    nothing = channels_now(None, None, None, None)
    assert [each.channel for each in nothing] == ["inapp", "push", "sms", "email"]
    assert {each.queued for each in nothing} == {None}
    lag = {
        ("tocsin-streams", "channel.sms"): 2,
        ("tocsin-streams", "channel.sms.high"): 3,
        ("tocsin-streams", "retry.short"): 9,
        ("tocsin-analytics", "delivery.outcomes"): 7,
    }
    known = {each.channel: each for each in channels_now({}, [], [], lag)}
    assert (known["sms"].queued, known["push"].queued) == (5, 0)
    assert (known["sms"].deferred, known["sms"].delivered_per_s) == (0, 0.0)
    assert (known["sms"].p50_ms, known["sms"].accepted) == (None, None)


def test_a_cursor_is_ours_or_refused() -> None:
    row = {"accepted_at": NOW, "notification_id": "a-b:c"}
    assert place_of(cursor_of(row)) == (round(NOW.timestamp() * 1000), "a-b:c")
    for wrong in ("", "1", "x-y", "-1-a", "9" * 30 + "-a"):
        with pytest.raises(Invalid, match="cursor"):
            place_of(wrong)
