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
        for column in self.lag.values():
            self._not_behind(column)

    def _add(self, sample: Sample) -> None:
        self.at.append(sample.at)
        self.ended.append(NOTHING if sample.ended is None else sample.ended)
        self.backlog.append(NOTHING if sample.backlog is None else sample.backlog)
        self.behind.append(sum(sample.lag.values()) if sample.lag else NOTHING)
        for columns, values in (
            (self.cpu, sample.cpu), (self.rss, sample.rss), (self.lag, sample.lag),
        ):  # fmt: skip
            _row(columns, values, len(self.at) - 1)

    def _not_behind(self, column: Column) -> None:
        """A topic that was left out was not behind, where anything was measured."""
        for place, total in enumerate(self.behind):
            if math.isnan(column[place]) and not math.isnan(total):
                column[place] = 0

    def __len__(self) -> int:
        return len(self.at)

    def known(self, column: Sequence[float]) -> Iterator[tuple[float, float]]:
        """(at, value) where there is a value."""
        for at, value in zip(self.at, column, strict=True):
            if not math.isnan(value):
                yield at, value


def _row(columns: dict[str, Column], values: Mapping[str, float], rows: int) -> None:
    """Add a row to columns that have `rows`."""
    for name in values:
        if name not in columns:
            columns[name] = array("d", [NOTHING]) * rows
    for name, column in columns.items():
        column.append(values.get(name, NOTHING))


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
