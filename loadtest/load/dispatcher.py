"""Hands out calls at their moment, never earlier, and counts those that nobody was there for."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from loadtest.load.arrivals import Arrival


class Job(NamedTuple):
    """Call `number` of `stream`, meant to begin at `intended` (Unix seconds)."""

    stream: str
    number: int
    intended: float


class Dispatcher:
    """The arrivals of one worker against a clock. Without I/O: whoever drives it sleeps.

    `offer` takes a job and says whether there was room for it; what finds none is never begun, and
    counts as intended all the same.
    """

    def __init__(
        self, arrivals: Iterator[Arrival], start: float, offer: Callable[[Job], bool]
    ) -> None:
        """`start` is the moment, in Unix seconds, that arrivals count from."""
        self._arrivals, self._start, self._offer = arrivals, start, offer
        self._next = next(arrivals, None)
        self.intended: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()

    @property
    def done(self) -> bool:
        """Whether every call was handed out."""
        return self._next is None

    def tick(self, now: float) -> float | None:
        """Hand out all that is due at `now`; the seconds until the next, None when none is left."""
        while self._next is not None and (at := self._start + self._next.at) <= now:
            self._intend(self._next.stream)
            if not self._offer(Job(self._next.stream, self._next.number, at)):
                self.missed[self._next.stream] += 1
            self._next = next(self._arrivals, None)
        return None if self._next is None else self._start + self._next.at - now

    def close(self, now: float) -> None:
        """Nothing more is begun: what was due until `now` counts as intended, the rest as not."""
        while self._next is not None and self._start + self._next.at <= now:
            self._intend(self._next.stream)
            self.missed[self._next.stream] += 1
            self._next = next(self._arrivals, None)
        self._next = None

    def _intend(self, stream: str) -> None:
        self.intended[stream] += 1
