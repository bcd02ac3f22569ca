"""Latencies in buckets of at most 0.8 % width, as HdrHistogram keeps them (log-linear, mergeable).

Locust rounds to two digits and counts from the moment a request began; a stalled system would be
asked less and look better for it. Ours are fed with the time since the *intended* start.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

_BITS: Final = 8
_FULL: Final = 1 << _BITS
_HALF: Final = _FULL >> 1


class Histogram:
    """Counts by bucket, in whole microseconds; a bucket is reported by its upper end."""

    def __init__(self, buckets: Mapping[int, int] | None = None) -> None:
        self.buckets: Counter[int] = Counter(buckets or {})

    def record(self, seconds: float, count: int = 1) -> None:
        """Add `count` times; below zero counts as zero."""
        self.buckets[_bucket(max(0, round(seconds * 1e6)))] += count

    def merge(self, other: "Histogram") -> None:
        """Add the other's counts to these."""
        self.buckets.update(other.buckets)

    @property
    def count(self) -> int:
        """How many were recorded."""
        return self.buckets.total()

    def percentile(self, percent: float) -> float | None:
        """Seconds at or below which `percent` (0 to 100) of all lie; None while there are none."""
        wanted, seen = self.count * percent / 100, 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                return _upper(bucket) / 1e6
        return None

    def as_dict(self) -> dict[str, int]:
        """For JSON; `from_dict` reads it back."""
        return {str(bucket): count for bucket, count in sorted(self.buckets.items())}

    @classmethod
    def from_dict(cls, found: Mapping[str, int]) -> "Histogram":
        return cls({int(bucket): count for bucket, count in found.items()})


def _bucket(us: int) -> int:
    shift = max(0, us.bit_length() - _BITS)
    return shift * _HALF + (us >> shift)


def _upper(bucket: int) -> int:
    shift = max(0, bucket // _HALF - 1)
    return ((bucket - shift * _HALF + 1) << shift) - 1
