"""Buckets of durations: near the truth, and they add up."""

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from tocsin.spread import BOUNDS_MS, Spread

durations = st.lists(st.floats(0.5, 100_000), min_size=1, max_size=200)


def spread_of(values: list[float]) -> Spread:
    made = Spread()
    for value in values:
        made.add(value)
    return made


@given(durations, st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_within_a_fifth_of_a_true_one(values: list[float], share: float) -> None:
    found = spread_of(values).quantile(share)
    assert found is not None
    ordered = sorted(values)
    true = ordered[ceil(share * len(ordered)) - 1]
    assert true / 1.21 - 0.1 <= found <= true * 1.21 + 0.1


@given(durations, durations)
def test_two_processes_add_up_to_one(one: list[float], two: list[float]) -> None:
    merged = Spread(spread_of(one).pairs())
    merged.take(spread_of(two).pairs())
    assert merged.pairs() == spread_of(one + two).pairs()
    assert merged.count == len(one) + len(two)


def test_nothing_has_no_quantile_and_absurd_values_have_a_bucket() -> None:
    assert Spread().quantile(0.5) is None
    absurd = spread_of([-5.0, 1e30, float("inf")])
    assert absurd.quantile(0.0) == 0
    assert absurd.quantile(1.0) == round(BOUNDS_MS[-1], 1)
    assert Spread([(10**6, 2), (-1, 1)]).count == 3
    absurd.clear()
    assert (absurd.count, absurd.pairs()) == (0, [])
