"""How fast something grows, whatever a few wild readings say."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

_MOST_POINTS: Final = 120
"""Pairs grow with the square; more points are first brought down to medians of neighbours."""

Point = tuple[float, float]


def theil_sen(points: Sequence[Point]) -> float | None:
    """The median of the slopes between all pairs of (x, y): up to 29 % of the points may be
    anything. None when no two points differ in x."""
    few = thinned(points, _MOST_POINTS)
    slopes = [
        (y2 - y1) / (x2 - x1)
        for i, (x1, y1) in enumerate(few)
        for x2, y2 in few[i + 1 :]
        if x2 != x1
    ]
    return median(slopes) if slopes else None


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` points, each the median of its neighbours, in order of x."""
    ordered = sorted(points)
    if len(ordered) <= most:
        return ordered
    cuts = [round(i * len(ordered) / most) for i in range(most + 1)]
    groups = [ordered[a:b] for a, b in pairwise(cuts)]
    return [(median(x for x, _ in g), median(y for _, y in g)) for g in groups]
