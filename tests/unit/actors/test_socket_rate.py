"""How many frames a socket may send."""

from hypothesis import given
from hypothesis import strategies as st

from actors.sockets.rate import BURST, PER_SECOND, FrameBudget


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
