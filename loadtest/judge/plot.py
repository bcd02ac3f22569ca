"""Lines over time as paths in a box of 1000 × 240; the page stretches it, and writes the words."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

Values = Sequence[float | None]
WIDTH: Final = 1000.0
HEIGHT: Final = 240.0
_STEPS: Final = (1, 2, 2.5, 5, 10)
_LEAST: Final = 1e-9
"""Nothing that is drawn is as small: it is drawn as nothing."""
_SPANS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200)
_ROWS: Final = 20
_DECADES: Final = 7


@dataclass(frozen=True)
class Series:
    """A name, a value for each step (None: not known), and how it is drawn."""

    label: str
    values: Values
    style: str = "a"
    """A letter: colour and dashes in the style sheet."""
    area: bool = False


@dataclass(frozen=True)
class Mark:
    """Something that was done at a moment: `at` seconds after the start."""

    at: float
    text: str


@dataclass(frozen=True)
class Axis:
    """The time below a plot: `duration` seconds, a value each `step`."""

    duration: float
    step: float
    marks: Sequence[Mark] = ()

    def x(self, at: float) -> float:
        """Per cent from the left."""
        return round(100 * min(max(at / self.duration, 0), 1), 2)

    @property
    def count(self) -> int:
        """Values of a series."""
        return max(1, math.ceil(self.duration / self.step))

    def middle(self, place: int) -> float:
        """Seconds after the start."""
        return min((place + 0.5) * self.step, self.duration)

    def ticks(self) -> list[tuple[float, str]]:
        """(per cent, time) about six times."""
        span = next((s for s in _SPANS if self.duration / s <= 7), self.duration / 6)
        whole = range(int(self.duration // span) + 1)
        return [(self.x(n * span), clock(n * span)) for n in whole if self.x(n * span) <= 94]


@dataclass(frozen=True)
class Drawn:
    """A series as paths."""

    label: str
    style: str
    line: str
    fill: str


@dataclass(frozen=True)
class Plot:
    """All that the template needs."""

    title: str
    about: str
    unit: str
    lines: Sequence[Drawn]
    y: Sequence[tuple[float, str]]
    x: Sequence[tuple[float, str]]
    marks: Sequence[tuple[float, int, str]]
    said: str
    """The plot in a sentence, for whoever does not see it."""
    rows: Sequence[Sequence[str]]
    """A table of some of its points; the time first."""
    bound: float | None = None
    bound_said: str = ""
    empty: bool = False


def plot(
    title: str,
    series: Sequence[Series],
    axis: Axis,
    words: Callable[[float], str],
    *,
    about: str = "",
    unit: str = "",
    log: bool = False,
    bound: float | None = None,
    bound_said: str = "",
) -> Plot:
    """Draw `series`; `words` says a value. A `bound` is a line across."""
    known = [v for s in series for v in s.values if v is not None]
    scale = _Log(known, bound) if log else _Linear(max(known, default=0.0), bound)
    return Plot(
        title, about, unit,
        [_drawn(s, axis, scale) for s in series],
        [(scale.y(v), words(v)) for v in scale.ticks()],
        axis.ticks(),
        [(axis.x(m.at), n, m.text) for n, m in enumerate(axis.marks, 1)],
        _said(title, series, words),
        list(_rows(series, axis, words)),
        None if bound is None else scale.y(bound), bound_said,
        empty=not known,
    )  # fmt: skip


def clock(at: float) -> str:
    """`4:05`, `1:04:05`."""
    minutes, secs = divmod(round(at), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


class _Linear:
    """From 0 to a round number above the largest."""

    def __init__(self, most: float, bound: float | None) -> None:
        most = max(most, bound or 0)
        most = most if most > _LEAST else 1.0
        power = 10.0 ** math.floor(math.log10(most / 4))
        self._tick = next(f for f in _STEPS if most / (f * power) <= 5) * power
        self._most = self._tick * math.ceil(most / self._tick - 1e-9)

    def y(self, value: float) -> float:
        """Per cent from the top."""
        return round(100 * (1 - value / self._most), 2)

    def ticks(self) -> list[float]:
        return [self._tick * n for n in range(round(self._most / self._tick) + 1)]


class _Log:
    """Powers of ten around what there is."""

    def __init__(self, known: Sequence[float], bound: float | None) -> None:
        positive = [v for v in (*known, bound) if v] or [1.0, 10.0]
        high, low = math.ceil(math.log10(max(positive))), math.floor(math.log10(min(positive)))
        self._low = max(low, high - _DECADES)
        self._high = max(high, self._low + 1)

    def y(self, value: float) -> float:
        """Per cent from the top; what is below the lowest power lies on it."""
        power = math.log10(value) if value > 0 else self._low
        return round(100 * (self._high - max(power, self._low)) / (self._high - self._low), 2)

    def ticks(self) -> list[float]:
        return [10.0**n for n in range(self._low, self._high + 1)]


def _drawn(series: Series, axis: Axis, scale: _Linear | _Log) -> Drawn:
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(series.values):
        if value is None:
            runs.append([])
        else:
            x = axis.x(axis.middle(place)) * WIDTH / 100
            runs[-1].append((x, scale.y(value) * HEIGHT / 100))
    drawn = [_seen(run) for run in runs if run]
    line = "".join(map(_path, drawn))
    fill = "".join(map(_closed, drawn)) if series.area else ""
    return Drawn(series.label, series.style, line, fill)


def _seen(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A lonely point becomes a short stroke, or nobody would see it."""
    (x, y), *more = run
    return run if more else [(max(0.0, x - 1), y), (min(WIDTH, x + 1), y)]


def _path(run: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)


def _closed(run: Sequence[tuple[float, float]]) -> str:
    return f"{_path(run)}L{run[-1][0]:.1f} {HEIGHT:.0f}L{run[0][0]:.1f} {HEIGHT:.0f}Z"


def _said(title: str, series: Sequence[Series], words: Callable[[float], str]) -> str:
    parts = []
    for one in series:
        known = [v for v in one.values if v is not None]
        if known:
            parts.append(f"{one.label} between {words(min(known))} and {words(max(known))}")
    return f"{title}: {'; '.join(parts) or 'nothing is known'}."


def _rows(series: Sequence[Series], axis: Axis, words: Callable[[float], str]) -> list[list[str]]:
    stride = max(1, math.ceil(axis.count / _ROWS))
    return [
        [
            clock(axis.middle(place)),
            *("" if (v := _at(s, place)) is None else words(v) for s in series),
        ]
        for place in range(0, axis.count, stride)
    ]


def _at(series: Series, place: int) -> float | None:
    return series.values[place] if place < len(series.values) else None


def sparkline(values: Values) -> str:
    """A path in a box of 100 × 24, from nothing to the most."""
    known = [v for v in values if v is not None]
    most = max(known, default=0) or 1
    span = max(len(values) - 1, 1)
    points = [(100 * n / span, 23 - 22 * v / most) for n, v in enumerate(values) if v is not None]
    return _path(points) if points else ""
