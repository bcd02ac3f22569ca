"""A slope that a few wild readings do not move."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.judge.memory import growth
from loadtest.judge.slope import theil_sen, thinned

WHOLE = st.integers(-1_000, 1_000)


@given(WHOLE, WHOLE, st.lists(st.integers(0, 10_000), min_size=2, max_size=300, unique=True))
def test_a_lines_slope_is_its_own(slope: int, start: int, xs: list[int]) -> None:
    found = theil_sen([(x, start + slope * x) for x in xs])
    assert found == pytest.approx(slope, abs=1e-6)


@given(WHOLE, st.data())
def test_a_fifth_of_wild_readings_does_not_matter(slope: int, data: st.DataObject) -> None:
    points = [(float(x), float(slope * x)) for x in range(40)]
    wild = data.draw(st.sets(st.integers(0, 39), max_size=8))
    anything = st.floats(-1e9, 1e9)
    spoilt = [(x, data.draw(anything) if n in wild else y) for n, (x, y) in enumerate(points)]
    assert theil_sen(spoilt) == pytest.approx(slope, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), max_size=400), st.integers(1, 50))
def test_thinning_keeps_order_and_range(points: list[tuple[float, float]], most: int) -> None:
    few = thinned(points, most)
    assert len(few) == min(len(points), most)
    assert all(a[0] <= b[0] for a, b in pairwise(few))
    if points:
        assert min(y for _, y in points) <= few[0][1] <= max(y for _, y in points)


def test_there_is_no_slope_in_one_moment() -> None:
    assert theil_sen([]) is None
    assert theil_sen([(1, 2)]) is None
    assert theil_sen([(1, 2), (1, 5)]) is None


def test_growth_is_of_what_lies_between_the_two_moments() -> None:
    rss = [(float(at), 1e8 + (1e5 * (at - 100) if at > 100 else 5e7)) for at in range(200)]
    found = growth(rss, 101, 161)
    assert found is not None
    assert found.seconds == 60
    assert found.megabytes == pytest.approx(6)
    assert found.percent_per_hour == pytest.approx(100 * 0.1 * 3600 / found.level)
    assert math.isclose(found.level, 103.1)
    assert growth(rss, 300, 400) is None
