"""The circuit breaker: when it opens, whom it lets through, when it closes."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.breaker import BULK, LOG_INS, Breaker, Policy
from tocsin.store.provider_states import BreakerState

SMALL = Policy(window=10, least=4, ratio=0.5, in_a_row=6, first=1, longest=8, probes=2)


class Hands:
    """A breaker whose clock is turned by hand, and whose chance is 1: no jitter."""

    def __init__(self, policy: Policy = SMALL, chance: float = 1.0) -> None:
        self.now = 100.0
        self.breaker = Breaker(policy, lambda: self.now, lambda: chance)

    def state(self) -> BreakerState:
        return self.breaker.state

    def call(self, failed: bool | None) -> None:
        permit = self.breaker.admit()
        assert permit is not None
        self.breaker.ended(permit, failed, "503" if failed else "")

    def open(self) -> None:
        while self.breaker.reason == "":
            self.call(True)


def test_it_opens_when_half_of_the_calls_fail_but_not_before_there_are_some() -> None:
    hands = Hands()
    for failed in (True, True, False):
        hands.call(failed)
    assert hands.state() == BreakerState.CLOSED, "three say nothing"
    hands.call(True)
    assert hands.state() == BreakerState.OPEN
    assert hands.breaker.reason == "503"


def test_few_failures_among_many_calls_do_not_open_it() -> None:
    hands = Hands()
    for _ in range(50):
        for failed in (False, False, True):
            hands.call(failed)
    assert hands.state() == BreakerState.CLOSED


def test_it_opens_when_so_many_failed_one_after_the_other() -> None:
    hands = Hands()
    for _ in range(20):
        hands.call(False)
    for number in range(SMALL.in_a_row):
        assert hands.state() == BreakerState.CLOSED, number
        hands.call(True)
    assert hands.state() == BreakerState.OPEN


def test_failures_are_forgotten_with_their_window() -> None:
    hands = Hands()
    for _ in range(5):
        hands.call(True)
        hands.call(None)
        hands.now += 11
        hands.call(False)
    assert hands.state() == BreakerState.CLOSED


def test_open_it_lets_nothing_through_and_says_for_how_long() -> None:
    hands = Hands()
    hands.open()
    assert (hands.breaker.admit(), hands.breaker.wait()) == (None, 1)
    hands.now += 0.75
    assert (hands.breaker.admit(), hands.breaker.wait()) == (None, 0.25)
    hands.now += 0.25
    assert hands.breaker.wait() is None
    assert hands.state() == BreakerState.HALF_OPEN


def test_half_open_it_lets_a_few_through_and_closes_when_they_succeed() -> None:
    hands = Hands()
    hands.open()
    hands.now += 1
    permits = [hands.breaker.admit() for _ in range(3)]
    assert permits[0] is not None
    assert permits[1] is not None
    assert (permits[2], hands.breaker.wait()) == (None, SMALL.first)
    hands.breaker.ended(permits[0], False)
    assert hands.state() == BreakerState.HALF_OPEN
    hands.breaker.ended(permits[1], False)
    assert hands.state() == BreakerState.CLOSED
    assert hands.breaker.reason == ""


def test_a_probe_nobody_knows_the_end_of_makes_room_for_another() -> None:
    hands = Hands()
    hands.open()
    hands.now += 1
    for _ in range(10):
        hands.call(None)
    assert hands.state() == BreakerState.HALF_OPEN


def test_each_time_it_is_open_for_twice_as_long_up_to_a_bound() -> None:
    hands = Hands()
    hands.open()
    waits = []
    for _ in range(6):
        waits.append(hands.breaker.wait() or 0)
        hands.now += waits[-1]
        hands.call(True)
    assert waits == [1, 2, 4, 8, 8, 8]
    hands.now += 8
    hands.call(False)
    hands.call(False)
    hands.open()
    assert hands.breaker.wait() == 1, "it had closed in between"


def test_jitter_takes_up_to_half_away() -> None:
    hands = Hands(chance=0.0)
    hands.open()
    assert hands.breaker.wait() == 0.5


def test_what_began_before_a_change_says_nothing_of_what_is_now() -> None:
    hands = Hands()
    early = [hands.breaker.admit() for _ in range(20)]
    hands.open()
    hands.now += 1
    probe = hands.breaker.admit()
    assert probe is not None
    for permit in early:
        assert permit is not None
        hands.breaker.ended(permit, False)
    assert hands.state() == BreakerState.HALF_OPEN
    hands.breaker.ended(early[0] or 0, True, "late")
    assert hands.state() == BreakerState.HALF_OPEN


@pytest.mark.parametrize("policy", [BULK, LOG_INS])
def test_a_log_in_looks_again_sooner_than_the_bulk(policy: Policy) -> None:
    assert LOG_INS.longest <= 2 < BULK.longest
    assert 0 < policy.first <= policy.longest
    assert policy.probes >= 1


class BreakerMachine(RuleBasedStateMachine):
    """Calls that begin, end and are lost in any order, while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.hands = Hands()
        self.at_work: list[int] = []
        self.probes: list[int] = []
        self.failed_since_closed = 0

    @rule()
    def begin(self) -> None:
        breaker = self.hands.breaker
        before, wait = breaker.state, breaker.wait()
        permit = breaker.admit()
        assert (permit is None) == (wait is not None)
        if permit is None:
            assert before is not BreakerState.CLOSED, "closed, everything goes through"
            assert wait is not None
            assert 0 < wait <= SMALL.longest
            return
        assert before is not BreakerState.OPEN, "open, nothing goes through"
        (self.at_work if before is BreakerState.CLOSED else self.probes).append(permit)

    @precondition(lambda self: self.at_work or self.probes)
    @rule(failed=st.sampled_from([True, False, None]), pick=st.integers(0, 10**6))
    def end(self, failed: bool | None, pick: int) -> None:
        calls = self.at_work + self.probes
        permit = calls[pick % len(calls)]
        (self.at_work if permit in self.at_work else self.probes).remove(permit)
        before, changes = self.hands.state(), self.hands.breaker.changes
        self.hands.breaker.ended(permit, failed, "why")
        after = self.hands.state()
        if permit != changes or failed is None:
            assert after is before
        elif before is BreakerState.HALF_OPEN:
            assert after is BreakerState.OPEN if failed else after is not BreakerState.OPEN
        if after is BreakerState.OPEN and before is not BreakerState.OPEN:
            assert failed, "only a failure opens it"

    @rule(seconds=st.floats(0, 20))
    def pass_time(self, seconds: float) -> None:
        self.hands.now += seconds

    @rule()
    def all_is_well_again(self) -> None:
        """Whatever came before: a provider that answers is asked again, and soon."""
        for permit in self.at_work + self.probes:
            self.hands.breaker.ended(permit, None)
        self.at_work.clear()
        self.probes.clear()
        self.hands.now += SMALL.longest
        for _ in range(SMALL.probes):
            self.hands.call(False)
        assert self.hands.state() == BreakerState.CLOSED

    @invariant()
    def probes_are_few(self) -> None:
        current = [p for p in self.probes if p == self.hands.breaker.changes]
        assert len(current) <= SMALL.probes

    @invariant()
    def it_says_why_unless_it_is_closed(self) -> None:
        closed = self.hands.state() == BreakerState.CLOSED
        assert closed == (self.hands.breaker.reason == "")


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
