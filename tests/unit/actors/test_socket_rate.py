"""How many frames a socket may send, and how many new sockets a shard takes."""

from hypothesis import given
from hypothesis import strategies as st

from actors.sockets.rate import BURST, PER_SECOND, AcceptBudget, FrameBudget


@given(st.lists(st.floats(0, 2), max_size=300))
def test_never_more_than_burst_plus_rate(gaps: list[float]) -> None:
    budget, now, taken = FrameBudget(0), 0.0, 0
    for gap in gaps:
        now += gap
        taken += budget.take(now)
        assert taken <= BURST + now * PER_SECOND + 1e-6


@given(st.integers(1, 500))
def test_whoever_keeps_to_the_rate_is_never_refused(frames: int) -> None:
    budget = FrameBudget(0)
    assert all(budget.take(i / PER_SECOND) for i in range(frames))


def test_a_refused_frame_costs_nothing() -> None:
    budget = FrameBudget(0)
    assert [budget.take(0) for _ in range(int(BURST) + 100)].count(True) == BURST
    assert budget.take(1 / PER_SECOND + 1e-9)


@given(st.floats(0.1, 1_000), st.lists(st.floats(0, 3), max_size=100))
def test_a_shard_takes_one_seconds_worth_at_once_and_then_its_rate(
    rate: float, gaps: list[float]
) -> None:
    budget, now, taken = AcceptBudget(rate, 0), 0.0, 0
    for gap in gaps:
        now += gap
        taken += budget.take(now)
        assert taken <= max(1, rate) + now * rate + 1e-6


def test_a_shard_that_takes_few_takes_those() -> None:
    budget = AcceptBudget(0.5, 0)
    assert [budget.take(at) for at in (0, 1, 2, 3, 4.0)] == [True, False, True, False, True]
