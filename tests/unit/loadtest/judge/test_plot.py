"""Lines over time: their place in the box, gaps, marks, and the same in words."""

import math

from hypothesis import given
from hypothesis import strategies as st

from loadtest.judge.plot import Axis, Mark, Series, clock, plot, sparkline
from loadtest.judge.series import stacked
from loadtest.judge.words import ms, percent, seconds, short

AXIS = Axis(100, 10, [Mark(50, "kill -9 api")])


def test_a_line_lies_where_its_values_are_and_breaks_where_nothing_is_known() -> None:
    drawn = plot("Rate", [Series("made", [0, 10, None, 5], "a", area=True)], AXIS, short)
    assert drawn.lines[0].line == "M50.0 240.0L150.0 0.0M349.0 120.0L351.0 120.0"
    assert drawn.lines[0].fill.endswith("L351.0 240L349.0 240Z")
    assert drawn.marks == [(50.0, 1, "kill -9 api")]
    assert drawn.said == "Rate: made between 0 and 10."
    assert drawn.rows[1] == ["0:15", "10"]
    assert drawn.rows[2] == ["0:25", ""]


def test_nothing_known_is_said_and_drawn_as_nothing() -> None:
    drawn = plot("Rate", [Series("made", [None, None])], AXIS, short)
    assert drawn.empty
    assert drawn.said == "Rate: nothing is known."


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e12)), max_size=12), st.booleans(),
       st.one_of(st.none(), st.floats(0.001, 1e6)))  # fmt: skip
def test_everything_drawn_is_inside_the_box(
    values: list[float | None], log: bool, bound: float | None
) -> None:
    drawn = plot("P", [Series("s", values)], AXIS, short, log=log, bound=bound)
    for at, _ in drawn.y:
        assert -0.01 <= at <= 100.01
    assert len(drawn.y) <= 20
    assert bound is None or -0.01 <= (drawn.bound or 0) <= 100.01
    for number in drawn.lines[0].line.replace("M", " ").replace("L", " ").split():
        assert math.isfinite(float(number))
        assert -0.1 <= float(number) <= 1000.1


def test_ticks_of_time_are_few_and_round() -> None:
    assert [said for _, said in Axis(1200, 6).ticks()] == ["0:00", "5:00", "10:00", "15:00"]
    assert [said for _, said in Axis(86_400, 600).ticks()][1] == "4:00:00"
    assert (clock(245), clock(3845)) == ("4:05", "1:04:05")


def test_layers_stand_on_those_before_them() -> None:
    assert stacked([[1, None, None], [2, 3, None]]) == [[1, None, None], [3, 3, None]]
    assert stacked([]) == []


def test_a_thumbnail_begins_at_nothing() -> None:
    assert sparkline([0, 5, 10]) == "M0.0 23.0L50.0 12.0L100.0 1.0"
    assert sparkline([None]) == ""


def test_figures_in_words() -> None:
    assert [percent(v) for v in (1, 0.99, 0.99987, 1e-5, 0.999999, 0.29, 0, 1.2)] == [
        "100 %", "99 %", "99.99 %", "0.001 %", "99.9999 %", "29 %", "0 %", "120 %",
    ]  # fmt: skip
    assert [ms(v) for v in (0.84, 9.96, 12.4, 1234, 61_000)] == [
        "0.8 ms", "10.0 ms", "12 ms", "1,234 ms", "1 min 1 s",
    ]  # fmt: skip
    assert [seconds(v) for v in (0, 4.25, 59.7, 300, 7500)] == [
        "0 s", "4.2 s", "1 min", "5 min", "2 h 5 min",
    ]  # fmt: skip
    assert [short(v) for v in (0, 950, 1234, 2_500_000)] == ["0", "950", "1.23 k", "2.5 M"]
