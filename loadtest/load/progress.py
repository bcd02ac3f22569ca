"""How a load goes, from what its workers write; and whether anybody still answers."""

from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from loadtest.load.histogram import Histogram
from loadtest.load.run_dir import Latencies, RunDir, Sample

SILENCE: Final = 30.0
"""Seconds without one answer, while calls were made, after which a system counts as gone."""

_TAIL: Final = 4_096


class Progress(NamedTuple):
    """Calls so far, all workers and streams together; `lag` is the p99 in seconds."""

    intended: int = 0
    begun: int = 0
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    notifications: int = 0
    lag: float = 0.0

    @property
    def answered(self) -> int:
        """Accepted or refused: somebody was there."""
        return self.accepted + self.refused


def read(run_dir: RunDir) -> Progress:
    """What the workers wrote last. A file that is not there yet counts for nothing."""
    counts: Counter[str] = Counter()
    lag = Histogram()
    for path in run_dir.path.glob("latencies-*.json"):
        for stream in _latencies(path).streams.values():
            for name in Progress._fields[:-1]:
                counts[name] += getattr(stream, name)
            lag.merge(Histogram.from_dict(stream.lag))
    return Progress(**counts, lag=lag.percentile(99) or 0.0)


def _latencies(path: Path) -> Latencies:
    return msgspec.json.decode(path.read_bytes(), type=Latencies)


def backlog(run_dir: RunDir) -> int | None:
    """Deliveries accepted and not ended, by the last sample; None while nobody knows."""
    try:
        with run_dir.samples.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL))
            lines = file.read().splitlines()
        return msgspec.json.decode(lines[-1], type=Sample).backlog if lines else None
    except (FileNotFoundError, msgspec.DecodeError):
        return None


class Silence:
    """Whether a system has stopped answering. Times are seconds of any clock."""

    def __init__(self, limit: float = SILENCE) -> None:
        self._limit = limit
        self._answered = -1
        self._since, self._begun = 0.0, 0

    def lasts(self, now: float, begun: int, answered: int) -> bool:
        """Whether calls were begun, and none answered, for the limit up to `now`."""
        if answered != self._answered:
            self._answered, self._since, self._begun = answered, now, begun
        elif begun == self._begun:
            self._since = now  # nothing was asked: nobody had to answer
        return now - self._since >= self._limit
