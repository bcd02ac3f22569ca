"""Which plots and tables of figures a report has."""

from dataclasses import dataclass
from typing import Final

from loadtest.judge.facts import Facts
from loadtest.judge.gates import Gates, bound_for
from loadtest.judge.judged import Judged
from loadtest.judge.judging import ENOUGH, memory_window
from loadtest.judge.memory import growth
from loadtest.judge.plot import Axis, Plot, Series, Values, clock, plot, sparkline
from loadtest.judge.samples import Column
from loadtest.judge.series import (
    axis_of,
    by_group,
    growth_rate,
    levels,
    per_second,
    stacked,
    thumbnail,
)
from loadtest.judge.words import count, ms, short

__all__ = ["Part", "answers", "clock", "cpu", "over_time", "parts"]

_GROUPS: Final = {
    "the books (writer)": " (writer)",
    "one-time codes": ".otp",
    "requests": "notification.requests",
    "channels": "channel.",
    "retries": "retry.",
}
_REST: Final = "everything else"
_STYLES: Final = "abcdef"
_CPU_LINES: Final = 5


def over_time(facts: Facts) -> list[Plot]:
    """Asked and taken, ended, waiting: all over the same time."""
    axis, samples = axis_of(facts), facts.samples
    asked = [
        Series("accepted", per_second(facts.history.taken, axis), "a", area=True),
        Series("meant to be asked for", per_second(facts.history.meant, axis), "b"),
    ]
    ended = growth_rate(samples, samples.ended, facts, axis)
    backlog = levels(samples.known(samples.backlog), facts, axis)
    return [
        plot(
            "Asked for and accepted", asked, axis, short, unit="notifications per second",
            about="The load asks at its own times, whether the system keeps up or not.",
        ),
        plot(
            "Deliveries ended", [Series("ended", ended, "a", area=True)], axis, short,
            unit="rows in ClickHouse per second",
            about="Delivered, failed, suppressed or expired, and in the books.",
        ),
        plot(
            "Waiting: deliveries accepted and not ended",
            [Series("backlog", backlog, "a", area=True)], axis, short, unit="deliveries",
        ),
        plot(
            "Waiting: records in Kafka that are not finished", _lag(facts, axis), axis, short,
            unit="records behind, by what they are",
        ),
    ]  # fmt: skip


def _lag(facts: Facts, axis: Axis) -> list[Series]:
    samples = facts.samples
    lag = by_group(samples, _GROUPS, _REST)
    order = [name for name in (*_GROUPS, _REST) if name in lag]
    behind = [name for name in order if max(lag[name], default=0) > 0] or order[:1]
    return [
        Series(name, levels(samples.known(lag[name]), facts, axis), style)
        for name, style in zip(behind, _STYLES, strict=False)
    ]


def answers(facts: Facts, gates: Gates) -> list[Plot]:
    """Of each stream that was answered often enough, half and 99 of 100 over time; powers of ten
    upwards."""
    history = facts.history
    duration = axis_of(facts).duration
    axis = Axis(duration, history.step, axis_of(facts).marks)
    found = []
    for stream in facts.calls:
        bins = history.latency.get(stream, {})
        if sum(h.count for h in bins.values()) < ENOUGH:
            continue
        bound = bound_for(stream, gates.answer_p99_ms)
        lines = [
            Series(f"p{percent}", _percentiles(facts, stream, percent, axis), style)
            for percent, style in ((99, "a"), (50, "b"))
        ]
        said = f"{count(sum(h.count for h in bins.values()))} calls"
        found.append(
            plot(
                stream, lines, axis, _axis_ms, log=True, unit=said, bound=bound,
                bound_said=f"p99 at most {ms(bound)}" if bound else "",
            )
        )  # fmt: skip
    return found


def _percentiles(facts: Facts, stream: str, percent: float, axis: Axis) -> Values:
    bins = facts.history.latency[stream]
    found = [bins[n].percentile(percent) if n in bins else None for n in range(axis.count)]
    return [None if s is None else s * 1e3 for s in found]


def _axis_ms(value: float) -> str:
    return f"{value / 1e3:g} s" if value >= 1e3 else f"{float(f'{value:.3g}'):g} ms"


def cpu(facts: Facts) -> Plot:
    """Cores used, the busiest parts named, each on top of those before it."""
    axis, samples = axis_of(facts), facts.samples
    order = sorted(samples.cpu, key=lambda part: -_used(samples.cpu[part], facts))
    rates = {part: growth_rate(samples, samples.cpu[part], facts, axis) for part in order}
    named, others = order[:_CPU_LINES], order[_CPU_LINES:]
    layers = [rates[part] for part in named]
    if others:
        layers.append(stacked([rates[part] for part in others])[-1])
    labels = [*named, *(["the rest"] if others else [])]
    tops = list(zip(labels, stacked(layers), _STYLES, strict=False))
    return plot(
        "CPU", [Series(label, top, style, area=True) for label, top, style in reversed(tops)],
        axis, short, unit="cores, each part on top of the ones before",
    )  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A row of the table: CPU in seconds (`s_per_1000` notifications), memory in MB. None: not
    known."""

    name: str
    cpu_s: float | None
    s_per_1000: float | None
    first_mb: float | None
    last_mb: float | None
    most_mb: float | None
    mb_per_hour: float | None
    judged: str
    """The memory gate's mark; empty for a store."""
    line: str


def parts(facts: Facts, judged: list[Judged], gates: Gates) -> list[Part]:
    """Of each part of the system what it used, the busiest first."""
    samples, told = facts.samples, max(facts.notifications, 1)
    marks = {gate.name: gate.mark for gate in judged}
    since, until = memory_window(facts)
    found = []
    for name in sorted({*samples.cpu, *samples.rss}):
        rss = samples.rss.get(name)
        held = [n / 1e6 for _, n in samples.known(rss)] if rss else []
        used = _used(samples.cpu[name], facts) if name in samples.cpu else None
        grown = growth(samples.known(rss), since, until) if rss else None
        long = grown and grown.seconds >= gates.memory.least_s
        found.append(
            Part(
                name, used, None if used is None else 1e3 * used / told,
                held[0] if held else None, held[-1] if held else None,
                max(held, default=None), grown.megabytes * 3600 / grown.seconds
                if grown and long else None,
                marks.get(f"memory.{name}", ""),
                sparkline(thumbnail(samples, rss, facts)) if rss else "",
            )
        )  # fmt: skip
    return sorted(found, key=lambda part: -(part.cpu_s or 0))


def _used(column: Column, facts: Facts) -> float:
    known = [n for _, n in facts.samples.known(column)]
    return max(known, default=0.0) - min(known, default=0.0)
