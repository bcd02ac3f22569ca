import math

from hypothesis import given
from hypothesis import strategies as st

from loadtest.load.histogram import Histogram

SECONDS = st.floats(min_value=0, max_value=3600)


def nearest_rank(times: list[float], percent: float) -> float:
    return sorted(times)[max(0, math.ceil(len(times) * percent / 100) - 1)]


@given(st.lists(SECONDS, min_size=1, max_size=200), st.sampled_from([0.0, 50.0, 99.0, 99.9, 100.0]))
def test_a_percentile_is_the_exact_one_within_a_bucket(times: list[float], percent: float) -> None:
    found = Histogram()
    for seconds in times:
        found.record(seconds)
    exact = nearest_rank(times, percent)
    assert (answer := found.percentile(percent)) is not None
    assert exact - 1e-6 <= answer <= exact * 1.008 + 2e-6


@given(st.lists(SECONDS), st.lists(SECONDS))
def test_two_merged_and_sent_are_one(some: list[float], others: list[float]) -> None:
    one, two, both = Histogram(), Histogram(), Histogram()
    for seconds in some:
        one.record(seconds)
        both.record(seconds)
    for seconds in others:
        two.record(seconds)
        both.record(seconds)
    one.merge(Histogram.from_dict(two.as_dict()))
    assert one.as_dict() == both.as_dict()
    assert one.count == len(some) + len(others)


def test_nothing_has_no_percentile_and_early_is_at_once() -> None:
    assert Histogram().percentile(99) is None
    early = Histogram()
    early.record(-0.001, 3)
    assert (early.percentile(99), early.count) == (0, 3)
