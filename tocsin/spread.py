"""How durations are spread: counts in buckets, so that those of several processes add up to one.

A bucket ends a fifth above where it begins, from half a millisecond to some days: a quantile is
never further than that from the true one, however many durations there are.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

_RATIO: Final = 1.2
BOUNDS_MS: Final = tuple(0.5 * _RATIO**n for n in range(120))
"""Where each bucket ends; beyond the last one lies one more."""

Pairs = list[tuple[int, int]]
"""(bucket, how many), only of buckets that hold any."""


class Spread:
    """Counts per bucket."""

    __slots__ = ("_counts", "count")

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._counts = [0] * (len(BOUNDS_MS) + 1)
        self.count = 0
        self.take(pairs)

    def add(self, milliseconds: float) -> None:
        """One duration; below zero (clocks differ) is zero."""
        self._counts[bisect_right(BOUNDS_MS, milliseconds)] += 1
        self.count += 1

    def take(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add what another one counted (`pairs`); a bucket that is not there is the last."""
        for bucket, count in pairs:
            self._counts[min(max(bucket, 0), len(BOUNDS_MS))] += count
            self.count += count

    def pairs(self) -> Pairs:
        """What there is."""
        return [(bucket, count) for bucket, count in enumerate(self._counts) if count]

    def quantile(self, share: float) -> float | None:
        """In milliseconds, `share` in [0, 1]; None when nothing was counted."""
        if not self.count:
            return None
        left = share * self.count
        for bucket, count in self.pairs():
            if left <= count:
                return _within(bucket, left / count)
            left -= count
        return BOUNDS_MS[-1]

    def clear(self) -> None:
        """Begin anew."""
        self._counts = [0] * (len(BOUNDS_MS) + 1)
        self.count = 0


def _within(bucket: int, share: float) -> float:
    """A point of a bucket, as if its durations lay evenly in it."""
    low = BOUNDS_MS[bucket - 1] if bucket else 0.0
    high = BOUNDS_MS[bucket] if bucket < len(BOUNDS_MS) else low
    return round(low + (high - low) * share, 1)
