"""Facts and gates in, judgements out. Pure."""

import math
from collections.abc import Callable, Iterator
from typing import Final

from loadtest.judge.facts import Calls, Facts
from loadtest.judge.gates import Gates, Memory, begins, bound_for
from loadtest.judge.judged import Judged, Mark
from loadtest.judge.memory import Growth, growth
from loadtest.judge.words import CLASSES, count, ms, percent, seconds
from loadtest.load.histogram import Histogram

ENOUGH: Final = 100
"""Calls below which 99 of 100 is but the slowest of them."""
_NO_VERDICT: Final = "the history checker left no verdict"
_SETTLE: Final = 60.0
"""Seconds after a kill in which what was started anew grows by right."""


def judge(facts: Facts, gates: Gates) -> list[Judged]:
    """Every gate, in the order of the page."""
    return [
        *_faults(facts, gates),
        *_unjudged(facts),
        _duplicates(facts, gates),
        *_arrivals(facts, gates),
        *_answers(facts, gates),
        *_achieved(facts, gates),
        _backlog(facts, gates),
        *_memory(facts, gates),
        *_dispatch(facts, gates),
    ]


def _faults(facts: Facts, gates: Gates) -> Iterator[Judged]:
    for name, most in gates.faults.items():
        found = facts.verdict.faults.get(name) if facts.verdict else None
        said, value = CLASSES[name], found.count if found else None
        mark: Mark = "missing" if value is None else "passed" if value <= most else "failed"
        why = "" if facts.verdict else _NO_VERDICT
        if found and mark == "failed" and found.examples:
            why = f"for example: {found.examples[0]}"
        yield Judged(
            "right", f"faults.{name}", said, most, value, mark, count(most), _or(value, count), why
        )


def _unjudged(facts: Facts) -> Iterator[Judged]:
    """A verdict with something left open is no proof, whatever else it says."""
    if facts.verdict and facts.verdict.unjudged:
        n = len(facts.verdict.unjudged)
        yield Judged(
            "right", "unjudged", "Left open by the history checker", 0, n, "missing", "0",
            count(n), "; ".join(facts.verdict.unjudged),
        )  # fmt: skip


def _duplicates(facts: Facts, gates: Gates) -> Judged:
    verdict, per_kill = facts.verdict, gates.duplicates_per_kill
    deliveries = max(verdict.expected_deliveries, verdict.received) if verdict else 0
    spared = sum(bound_for(kill.name, per_kill) or 0 for kill in facts.kills)
    most = math.floor(gates.duplicates.share * deliveries) + spared
    found = verdict.faults.get("duplicate") if verdict else None
    value = found.count if found else None
    mark: Mark = "missing" if value is None else "passed" if value <= most else "failed"
    why = _NO_VERDICT if verdict is None else f"{percent(gates.duplicates.share)} of deliveries"
    if verdict and spared:
        why += f", and at most {spared:,} that were under way in a sender when it was killed"
    return Judged(
        "right", "duplicates", CLASSES["duplicate"], most, value, mark, count(most),
        _or(value, count), why,
    )  # fmt: skip


def _arrivals(facts: Facts, gates: Gates) -> Iterator[Judged]:
    if not facts.codes:
        return
    bound, about = gates.otp.arrival_p99_ms, "One-time codes at their provider, 99 of 100"
    why = "from the moment a code was meant to be asked for"
    if not facts.arrivals.count:
        why = "no receipts of codes (received.jsonl)"
    yield _p99("otp.arrival_p99_ms", about, bound, facts.arrivals, why)


def _answers(facts: Facts, gates: Gates) -> Iterator[Judged]:
    for stream, calls in facts.calls.items():
        bound = bound_for(stream, gates.answer_p99_ms)
        if bound is not None:
            why = "" if calls.latency.count else "nothing was answered"
            name = f"answer_p99_ms.{stream}"
            yield _p99(name, f"Answers to {stream}, 99 of 100", bound, calls.latency, why)


def _p99(name: str, about: str, bound: float, times: Histogram, why: str) -> Judged:
    p99 = times.percentile(99)
    value = None if p99 is None else p99 * 1e3
    mark: Mark = "missing" if value is None else "passed" if value <= bound else "failed"
    if value is not None and times.count < ENOUGH:
        mark, why = "untold", f"{times.count} calls; 99 of 100 takes {ENOUGH}"
    return Judged("fast", name, about, bound, value, mark, ms(bound), _or(value, ms), why)


def _achieved(facts: Facts, gates: Gates) -> Iterator[Judged]:
    for name, least in gates.achieved.items():
        chosen = [
            calls for stream, calls in facts.calls.items() if name == "all" or begins(stream, name)
        ]
        about = "Calls accepted, of those meant" + ("" if name == "all" else f": {name}")
        meant, taken = sum(c.intended for c in chosen), sum(c.accepted for c in chosen)
        value = taken / meant if meant else None
        mark: Mark = "missing" if value is None else "passed" if value >= least else "failed"
        why = f"{taken:,} of {meant:,}{_not_taken(chosen)}" if meant else "no call was meant"
        yield Judged(
            "kept_up", f"achieved.{name}", about, least, value, mark, f"≥ {percent(least)}",
            _or(value, percent), why,
        )  # fmt: skip


def _not_taken(chosen: list[Calls]) -> str:
    refused, unknown = sum(c.refused for c in chosen), sum(c.unknown for c in chosen)
    said = [f"{refused:,} refused"] * bool(refused) + [f"{unknown:,} without answer"] * bool(
        unknown
    )
    return "; " + ", ".join(said) if said else ""


def drained(facts: Facts) -> float | None:
    """Seconds from the load's end until nothing waited; None when that was not seen."""
    run, samples = facts.run, facts.samples
    if not run.load_ended_at:
        return None
    known = [run.quiet_at] if run.quiet_at else []
    backlog, behind = dict(samples.known(samples.backlog)), dict(samples.known(samples.behind))
    last = max((at for found in (backlog, behind) for at, n in found.items() if n > 0), default=0.0)
    still = (at for at in backlog if at in behind and at > last and at >= run.load_ended_at)
    known += [min(still, default=math.inf)]
    found = min(known) - run.load_ended_at
    return max(0.0, found) if math.isfinite(found) else None


def _backlog(facts: Facts, gates: Gates) -> Judged:
    bound, value = gates.backlog.drained_s, drained(facts)
    mark: Mark
    why = ""
    if value is not None:
        mark = "passed" if value <= bound else "failed"
    elif facts.run.load_ended_at and facts.end - facts.run.load_ended_at > bound:
        mark, why = "failed", "something was still waiting when nobody looked any more"
    elif facts.run.load_ended_at:
        mark, why = "missing", "nobody looked until nothing was waiting"
    else:
        mark, why = "missing", "the load did not come to its end"
    return Judged(
        "kept_up", "backlog.drained_s", "Nothing waiting any more, after the load's end", bound,
        value, mark, f"≤ {seconds(bound)}", _or(value, seconds), why,
    )  # fmt: skip


def memory_window(facts: Facts) -> tuple[float, float]:
    """From when to when memory is looked at: the second half of the load, after the last kill."""
    end = facts.load_ended
    half = (facts.run.started_at + end) / 2
    kills = [kill.at + _SETTLE for kill in facts.kills if kill.at < end]
    return max([half, *kills]), end


def _memory(facts: Facts, gates: Gates) -> Iterator[Judged]:
    since, until = memory_window(facts)
    judged = {p: c for p, c in facts.samples.rss.items() if p not in gates.memory.stores}
    for part, column in judged.items():
        yield _grown(part, growth(facts.samples.known(column), since, until), gates.memory)
    if not judged:
        yield _untold("memory", "Memory", gates.memory, "no process was sampled")


def _grown(part: str, found: Growth | None, limits: Memory) -> Judged:
    name, about = f"memory.{part}", f"Memory of {part}"
    if found is None or found.seconds < limits.least_s:
        watched = seconds(found.seconds) if found else "nothing"
        why = f"{watched} of the {seconds(limits.least_s)} that it takes"
        return _untold(name, about, limits, why)
    value = found.percent_per_hour
    wild, grew = value > limits.percent_per_hour, found.megabytes > limits.floor_mb
    why = f"{found.megabytes:+.1f} MB in {seconds(found.seconds)}, at {found.level:,.0f} MB"
    if wild and not grew:
        why += f"; up to {limits.floor_mb:g} MB say nothing"
    return Judged(
        "memory", name, about, limits.percent_per_hour, value,
        "failed" if wild and grew else "passed", _growing(limits), f"{value:+.1f} %/h", why,
    )  # fmt: skip


def _untold(name: str, about: str, limits: Memory, why: str) -> Judged:
    return Judged(
        "memory", name, about, limits.percent_per_hour, None, "untold", _growing(limits), "–", why
    )


def _growing(limits: Memory) -> str:
    return f"≤ {limits.percent_per_hour:g} %/h"


def _dispatch(facts: Facts, gates: Gates) -> Iterator[Judged]:
    lag = Histogram()
    for calls in facts.calls.values():
        lag.merge(calls.lag)
    p99, bound = lag.percentile(99), gates.dispatch.lag_p99_ms
    late = None if p99 is None else p99 * 1e3
    yield Judged(
        "load", "dispatch.lag_p99_ms", "Calls began when they were meant to, 99 of 100", bound,
        late, _void(late, late is not None and late <= bound), f"≤ {ms(bound)}", _or(late, ms),
        "how late the load itself was; answers are timed from the intended moment all the same",
    )  # fmt: skip
    meant = sum(c.intended for c in facts.calls.values())
    begun = sum(c.begun for c in facts.calls.values())
    share = begun / meant if meant else None
    least = gates.dispatch.begun
    yield Judged(
        "load", "dispatch.begun", "Calls that were begun, of those meant", least, share,
        _void(share, share is not None and share >= least), f"≥ {percent(least)}",
        _or(share, percent), f"{begun:,} of {meant:,}",
    )  # fmt: skip


def _void(value: float | None, good: bool) -> Mark:
    return "missing" if value is None else "passed" if good else "void"


def _or(value: float | None, words: Callable[[float], str]) -> str:
    return "not known" if value is None else words(value)
