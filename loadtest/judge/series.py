"""What was sampled and written down, as a value for each step of a plot."""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from loadtest.judge.facts import Facts
from loadtest.judge.plot import Axis, Mark, Values
from loadtest.judge.samples import Column, Samples, binned

_POINTS = 200


def axis_of(facts: Facts) -> Axis:
    """From the start to the last moment anything is known of, with what was done on the way."""
    start = facts.run.started_at
    duration = max(facts.end - start, 1.0)
    marks = [Mark(at - start, text) for at, text in sorted(facts.run.events)]
    return Axis(duration, float(max(1, math.ceil(duration / _POINTS))), marks)


def per_second(counts: Mapping[int, int], axis: Axis) -> Values:
    """Counts by second as a rate over each step; nothing is 0."""
    found: Counter[int] = Counter()
    for second, count in counts.items():
        # the load's own start is a moment before the run's
        found[max(0, int(second // axis.step))] += count
    lengths = [min(axis.step, axis.duration - n * axis.step) for n in range(axis.count)]
    return [found[n] / max(length, 1.0) for n, length in enumerate(lengths)]


def levels(points: Iterable[tuple[float, float]], facts: Facts, axis: Axis) -> Values:
    """The highest of each step."""
    return binned(points, facts.run.started_at, axis.step, axis.count, max)


def growth_rate(samples: Samples, column: Column, facts: Facts, axis: Axis) -> Values:
    """A count that only grows, as a rate between the last samples of each step."""
    last = binned(
        ((at, n) for at, n in samples.known(column)),
        facts.run.started_at, axis.step, axis.count, lambda values: values[-1],
    )  # fmt: skip
    found: list[float | None] = []
    before: tuple[int, float] | None = None
    for place, value in enumerate(last):
        if value is None or before is None:
            found.append(None)
        else:
            passed = (place - before[0]) * axis.step
            found.append(max(0.0, value - before[1]) / passed)
        before = before if value is None else (place, value)
    return found


def by_group(samples: Samples, groups: Mapping[str, str], rest: str) -> dict[str, Column]:
    """Lag added up by what a topic's name begins with; the first that fits counts. What nothing
    fits is `rest`."""
    found: dict[str, Column] = {}
    for topic, column in samples.lag.items():
        fits = (name for name, start in groups.items() if start in topic)
        name = next(fits, rest)
        both = found.get(name)
        found[name] = column if both is None else _sum(both, column)
    return found


def _sum(one: Column, other: Column) -> Column:
    return array("d", (a + b for a, b in zip(one, other, strict=True)))


def stacked(values: Sequence[Values]) -> list[Values]:
    """Each on top of those before it; unknown counts as nothing where another is known."""
    found: list[Values] = []
    below: list[float | None] = [None] * len(values[0]) if values else []
    for one in values:
        below = [
            b if v is None else v if b is None else b + v for b, v in zip(below, one, strict=True)
        ]
        found.append(list(below))
    return found


def thumbnail(samples: Samples, column: Column, facts: Facts) -> Values:
    """Sixty medians."""
    duration = max(facts.end - facts.run.started_at, 1.0)
    return binned(samples.known(column), facts.run.started_at, duration / 60, 60, median)
