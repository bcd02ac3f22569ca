"""What the clients wrote down, in one pass that keeps counts and histograms only."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from loadtest.judge.lines import Skipped, read_lines
from loadtest.load.histogram import Histogram
from loadtest.load.run_dir import Outcome

_TELLING: Final = frozenset({"notification", "otp"})
"""Kinds that ask for somebody to be told."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """What is needed of an `Asked`."""

    kind: str
    stream: str
    call: int
    intended: float
    ended: float
    outcome: Outcome
    id: str = ""


class Received(msgspec.Struct, frozen=True, gc=False):
    """What is needed of a receipt."""

    delivery_id: str
    received_at: float


class History:
    """Rates by second since `start`, and latencies by `step` seconds and stream.

    A line is a notification; the lines of one call are answered once and timed once. Where nobody
    was to be told at all (a storm of reconnects), everything that was asked counts.
    """

    def __init__(self, start: float, step: float) -> None:
        self.start, self.step = start, step
        self.meant: Counter[int] = Counter()
        self.taken: Counter[int] = Counter()
        self.latency: dict[str, dict[int, Histogram]] = {}
        self.codes: dict[str, float] = {}
        """Challenge → when it was meant to be asked for."""
        self._others_meant: Counter[int] = Counter()
        self._others_taken: Counter[int] = Counter()

    def add(self, lines: Iterable[Line]) -> None:
        """One worker's history."""
        last: dict[str, int] = {}
        start, step = self.start, self.step
        for line in lines:
            telling = line.kind in _TELLING
            meant = self.meant if telling else self._others_meant
            meant[int(line.intended - start)] += 1
            if line.outcome == "accepted":
                taken = self.taken if telling else self._others_taken
                taken[int(line.ended - start)] += 1
            if line.kind == "otp" and line.id and line.outcome != "refused":
                self.codes[line.id] = line.intended
            if last.get(line.stream) != line.call and line.ended:
                last[line.stream] = line.call
                bins = self.latency.setdefault(line.stream, defaultdict(Histogram))
                bins[int((line.intended - start) // step)].record(line.ended - line.intended)

    def end(self) -> "History":
        """All is added: what tells nobody counts where nothing else does."""
        if not self.meant:
            self.meant, self.taken = self._others_meant, self._others_taken
        return self


def read(paths: Iterable[Path], start: float, step: float, skipped: Skipped) -> History:
    """The histories of all workers."""
    history = History(start, step)
    for path in paths:
        history.add(read_lines(path, Line, skipped))
    return history.end()


def arrivals(path: Path, codes: dict[str, float], skipped: Skipped) -> Histogram:
    """From a code's intended moment to its first arrival at a provider. Takes from `codes` those
    that arrived: what is left did not."""
    found = Histogram()
    if codes:
        for receipt in read_lines(path, Received, skipped):
            challenge = receipt.delivery_id.rpartition(":")[0]
            if (intended := codes.pop(challenge, None)) is not None:
                found.record(receipt.received_at - intended)
    return found
