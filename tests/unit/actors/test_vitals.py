"""What a process knows of a provider, and what it tells of it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from actors.tell import Tell
from actors.vitals import Vitals, is_fault
from tests.unit.actors.makers import NOW
from tocsin.clock import ManualClock
from tocsin.errors import AddressGone, Ambiguous, Permanent, ProviderDown, SendError, Transient
from tocsin.spread import Spread
from tocsin.store.provider_states import KEEP_SECONDS, BreakerState, ProviderState


class Watched:
    """Vitals whose time passes by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.vitals = Vitals("apns", "push", NOW, now=lambda: self.now)

    def call(self, seconds: float = 0.04, answer: SendError | None = None) -> None:
        permit = self.vitals.breaker.admit()
        self.vitals.end(0 if permit is None else permit, seconds, answer, True)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (ProviderDown("503"), True),
        (Ambiguous("cut"), True),
        (Transient("429"), False),
        (Permanent("BadDeviceToken"), False),
        (AddressGone("410"), False),
        (None, False),
    ],
)
def test_a_fault_is_the_providers_own(answer: SendError | None, fault: bool) -> None:
    assert is_fault(answer) is fault


def test_the_last_minute_is_told_and_forgotten(watched: Watched) -> None:
    for _ in range(30):
        watched.call()
    watched.call(2.0, ProviderDown("503", "apns"))
    seen = watched.vitals.shown("sender-push-0", NOW)
    assert (seen.calls, seen.failures, seen.state) == (31, 1, BreakerState.CLOSED)
    assert 33 <= (Spread(seen.spread).quantile(0.5) or 0) <= 48
    assert 1_600 <= (Spread(seen.spread).quantile(1.0) or 0) <= 2_400
    watched.now += 30
    watched.call()
    assert watched.vitals.shown("sender-push-0", NOW).calls == 32
    watched.now += 45
    assert watched.vitals.shown("sender-push-0", NOW).calls == 1
    watched.now += 61
    assert watched.vitals.shown("sender-push-0", NOW).spread == []


def test_the_state_has_a_beginning_and_a_reason(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    while watched.vitals.breaker.state is BreakerState.CLOSED:
        watched.call(5, ProviderDown("no connection", "apns"))
    later = NOW + timedelta(seconds=7)
    seen = watched.vitals.shown("x", later)
    assert (seen.state, seen.since, seen.reason) == (BreakerState.OPEN, later, "no connection")
    assert watched.vitals.shown("x", later + timedelta(seconds=1)).since == later
    assert "provider apns fails (no connection)" in caplog.text
    watched.now += 60
    for _ in range(3):
        watched.call()
    assert watched.vitals.shown("x", later).state is BreakerState.CLOSED
    assert "provider apns answers again" in caplog.text


class FakeStates:
    """Remembers what was put; `away` refuses."""

    def __init__(self) -> None:
        self.put_: list[list[ProviderState]] = []
        self.away = False

    async def put(self, states: Sequence[ProviderState]) -> None:
        if self.away:
            raise RedisConnectionError("away")
        if states:
            self.put_.append(list(states))


async def test_only_news_is_told_and_now_and_then_what_has_not_changed(watched: Watched) -> None:
    states, clock = FakeStates(), ManualClock(NOW)
    tell = Tell(states, [watched.vitals], "sender-push-0", clock)  # type: ignore[arg-type]
    assert [await tell.once(), await tell.once()] == [1, 0]
    watched.call()
    assert [await tell.once(), await tell.once()] == [1, 0]
    clock.advance(timedelta(seconds=KEEP_SECONDS / 2))
    assert await tell.once() == 1
    assert [state.calls for (state,) in states.put_] == [0, 1, 1]


async def test_what_a_store_that_is_away_missed_is_told_when_it_is_back(watched: Watched) -> None:
    states = FakeStates()
    tell = Tell(states, [watched.vitals], "sender-push-0", ManualClock(NOW))  # type: ignore[arg-type]
    states.away = True
    assert await tell.once() == 0
    states.away = False
    assert await tell.once() == 1
