"""A rate over time: its area is the whole, and a share of it comes at one time only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.load.curve import Curve
from loadtest.load.shapes import SHAPES

CURVES = [
    *(shape.curve for shape in SHAPES.values()),
    *(curve for shape in SHAPES.values() for _, curve in shape.others.values()),
]


def test_a_steady_rate_passes_evenly() -> None:
    curve = Curve([(0, 7), (1, 7)])
    assert curve.peak == 1
    assert [curve.passed(t) for t in (0, 0.25, 1)] == [0, 0.25, 1]
    assert [curve.when(share) for share in (0, 0.25, 1)] == [0, 0.25, 1]


def test_a_rate_that_grows_from_nothing_passes_by_the_square() -> None:
    curve = Curve([(0, 0), (1, 1)])
    assert curve.passed(0.5) == pytest.approx(0.25)
    assert curve.when(0.25) == pytest.approx(0.5)
    assert curve.rate(0.5) == pytest.approx(1)


def test_a_step_has_both_rates() -> None:
    curve = Curve([(0, 1), (0.5, 1), (0.5, 3), (1, 3)])
    assert curve.rate(0.49) == pytest.approx(0.5)
    assert curve.rate(0.51) == pytest.approx(1.5)


@pytest.mark.parametrize("curve", CURVES)
@given(share=st.floats(0, 1))
def test_when_is_passed_the_other_way_for_every_curve_there_is(curve: Curve, share: float) -> None:
    when = curve.when(share)
    assert 0 <= when <= 1
    assert curve.passed(when) == pytest.approx(share, abs=1e-9)


def test_nothing_happens_while_the_rate_is_none() -> None:
    curve = Curve([(0, 0), (0.4, 0), (0.4, 1), (1, 1)])
    assert curve.when(1e-12) >= 0.4


@pytest.mark.parametrize(
    "knots",
    [
        [(0, 1), (0.5, 1)],
        [(0.1, 1), (1, 1)],
        [(0, 1), (0.7, 1), (0.3, 1), (1, 1)],
        [(0, 1), (1, -1)],
        [(0, 0), (1, 0)],
    ],
)
def test_a_curve_that_makes_no_sense_is_refused(knots: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match=r"knots|area"):
        Curve(knots)
