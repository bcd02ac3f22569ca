"""How the memory of a part grows over a stretch of a run."""

from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from loadtest.judge.slope import theil_sen

_MB = 1e6


class Growth(NamedTuple):
    """`level` and `megabytes` (what it grew by in those `seconds`, robustly) in MB."""

    level: float
    megabytes: float
    seconds: float

    @property
    def percent_per_hour(self) -> float:
        """Of itself."""
        if not self.level:
            return 0.0
        return 100 * self.megabytes / self.level * 3600 / self.seconds


def growth(rss: Iterable[tuple[float, float]], since: float, until: float) -> Growth | None:
    """From (Unix seconds, bytes) between the two moments; None when there is no slope in them."""
    points = [(at - since, held / _MB) for at, held in rss if since <= at <= until]
    slope = theil_sen(points)
    if slope is None:
        return None
    span = points[-1][0] - points[0][0]
    return Growth(median(mb for _, mb in points), slope * span, span)
