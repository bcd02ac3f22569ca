"""The samples of a run in columns: a day of them, one a second, is some 30 MB."""

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from loadtest.judge.lines import Skipped, read_lines
from loadtest.load.run_dir import Sample

Column: TypeAlias = "array[float]"
NOTHING = math.nan
"""Stands for what was not read."""


class Samples:
    """Columns of one length; `at` in Unix seconds."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self.at: Column = array("d")
        self.ended: Column = array("d")
        self.backlog: Column = array("d")
        self.behind: Column = array("d")
        """Lag of all topics together."""
        self.cpu: dict[str, Column] = {}
        self.rss: dict[str, Column] = {}
        self.lag: dict[str, Column] = {}
        for sample in samples:
            self._add(sample)

    def _add(self, sample: Sample) -> None:
        rows = len(self.at)
        self.at.append(sample.at)
        self.ended.append(NOTHING if sample.ended is None else sample.ended)
        self.backlog.append(NOTHING if sample.backlog is None else sample.backlog)
        self.behind.append(sum(sample.lag.values()) if sample.lag else NOTHING)
        # a topic that is left out is not behind, if anything was measured
        _row(self.lag, rows, sample.lag, 0.0 if sample.lag else NOTHING)
        _row(self.cpu, rows, sample.cpu, NOTHING)
        _row(self.rss, rows, sample.rss, NOTHING)

    def __len__(self) -> int:
        return len(self.at)

    def known(self, column: Sequence[float]) -> Iterator[tuple[float, float]]:
        """(at, value) where there is a value."""
        for at, value in zip(self.at, column, strict=True):
            if not math.isnan(value):
                yield at, value


def _row(columns: dict[str, Column], rows: int, values: Mapping[str, float], absent: float) -> None:
    for name in values:
        if name not in columns:
            columns[name] = array("d", [absent]) * rows
    for name, column in columns.items():
        column.append(values.get(name, absent))


def read(path: Path, skipped: Skipped) -> Samples:
    """The samples in a file."""
    return Samples(read_lines(path, Sample, skipped))


def binned(
    points: Iterable[tuple[float, float]],
    start: float,
    step: float,
    count: int,
    how: Callable[[Sequence[float]], float],
) -> list[float | None]:
    """`count` values, one for each `step` seconds from `start` on; None where there is nothing."""
    held: list[list[float]] = [[] for _ in range(count)]
    for at, value in points:
        place = int((at - start) // step)
        if 0 <= place < count:
            held[place].append(value)
    return [how(values) if values else None for values in held]
