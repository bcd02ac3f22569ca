"""A rate over time as straight lines between knots, its area, and when a share of it has passed."""

from bisect import bisect_right
from collections.abc import Sequence
from math import sqrt


class Curve:
    """Rates at times from 0 to 1, scaled so that the area is 1: a share of the whole by a share of
    the time. Exact, so that what it promises is what is asked."""

    def __init__(self, knots: Sequence[tuple[float, float]]) -> None:
        """`knots` are (time, rate), times growing from 0 to 1, rates not below 0 and not all 0.

        Two knots may share a time: a step.
        """
        self._times = [time for time, _ in knots]
        rates = [rate for _, rate in knots]
        pieces = [
            (t1 - t0) * (r0 + r1) / 2
            for t0, t1, r0, r1 in zip(self._times, self._times[1:], rates, rates[1:], strict=False)
        ]
        whole = sum(pieces)
        ordered = all(a <= b for a, b in zip(self._times, self._times[1:], strict=False))
        if self._times[0] != 0 or self._times[-1] != 1 or not ordered or min(rates) < 0:
            raise ValueError("knots go from time 0 to 1, with rates of 0 or more")
        if whole <= 0:
            raise ValueError("a curve needs an area")
        self._rates = [rate / whole for rate in rates]
        self._passed = [0.0]
        for piece in pieces:
            self._passed.append(self._passed[-1] + piece / whole)

    @property
    def peak(self) -> float:
        """The highest rate, in means."""
        return max(self._rates)

    def rate(self, time: float) -> float:
        """The rate at a share of the time, in means."""
        k = self._segment(self._times, time)
        t0, t1 = self._times[k], self._times[k + 1]
        share = (time - t0) / (t1 - t0) if t1 > t0 else 0.0
        return self._rates[k] + share * (self._rates[k + 1] - self._rates[k])

    def passed(self, time: float) -> float:
        """Which share of the whole has passed by a share of the time."""
        k = self._segment(self._times, time)
        x = time - self._times[k]
        return self._passed[k] + x * (self._rates[k] + self.rate(time)) / 2

    def when(self, share: float) -> float:
        """The time by which a share (0 to 1) of the whole has passed: `passed` the other way."""
        k = self._segment(self._passed, share)
        width, rate = self._times[k + 1] - self._times[k], self._rates[k]
        left = max(0.0, share - self._passed[k])
        if not left or not width:
            return self._times[k]
        slope = (self._rates[k + 1] - rate) / width
        # the root that stays exact where the line is flat
        root = rate + sqrt(max(0.0, rate * rate + 2 * slope * left))
        if not root:  # nothing passes here: what is left is a rounding
            return self._times[k]
        return self._times[k] + min(width, 2 * left / root)

    @staticmethod
    def _segment(marks: Sequence[float], at: float) -> int:
        return min(max(bisect_right(marks, at) - 1, 0), len(marks) - 2)
