"""All that a run's directory says, read once, in bounded memory."""

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from loadtest.judge import history as histories
from loadtest.judge import machine
from loadtest.judge import samples as sampled
from loadtest.judge.history import History
from loadtest.judge.lines import Skipped
from loadtest.judge.samples import Samples
from loadtest.load.histogram import Histogram
from loadtest.load.run_dir import Latencies, Run, RunDir, Stream, Verdict
from tocsin.errors import ConfigError

T = TypeVar("T")
_KILL: Final = re.compile(r"^kill(?:ed)?(?: -\w+)? (?P<name>\S+)")
_BINS: Final = 120
"""Points of a line over time, at most."""
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass
class Calls:
    """What one stream did, over all workers. `intended` is at least what was planned for it, of a
    run that was broken off what was due by then."""

    intended: int = 0
    begun: int = 0
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    notifications: int = 0
    latency: Histogram = field(default_factory=Histogram)
    lag: Histogram = field(default_factory=Histogram)

    def add(self, stream: Stream) -> None:
        """Another worker's part."""
        self.intended += stream.intended
        self.begun += stream.begun
        self.accepted += stream.accepted
        self.refused += stream.refused
        self.unknown += stream.unknown
        self.notifications += stream.notifications
        self.latency.merge(Histogram.from_dict(stream.latency))
        self.lag.merge(Histogram.from_dict(stream.lag))


class Killed(NamedTuple):
    """A process or actor that was killed, and when (Unix seconds)."""

    at: float
    name: str


@dataclass
class Facts:
    """What is known of a run. `gaps` says in words what is not."""

    run: Run
    calls: dict[str, Calls]
    samples: Samples
    history: History
    arrivals: Histogram
    """Of codes, from the intended moment to the provider."""
    codes: int
    """Asked for and not refused."""
    verdict: Verdict | None
    machine: dict[str, str]
    gaps: list[str]

    @property
    def load_ended(self) -> float:
        """When the last call was meant to be over, as far as is known (Unix seconds)."""
        return self.run.load_ended_at or self.end

    @property
    def end(self) -> float:
        """The last moment anything is known of."""
        known = [self.run.started_at + 1, self.run.load_ended_at, self.run.quiet_at]
        if len(self.samples):
            known.append(self.samples.at[-1])
        if self.history.meant:
            known.append(self.history.start + max(self.history.meant))
        return max(known)

    @property
    def kills(self) -> list[Killed]:
        """What was killed on the way."""
        found = ((at, _KILL.match(said)) for at, said in self.run.events)
        return [Killed(at, match["name"]) for at, match in found if match]

    @property
    def notifications(self) -> int:
        """Accepted: by the checker, or by the clients where it said nothing."""
        return self.verdict.accepted if self.verdict else self.history.taken.total()


def read(run_dir: RunDir) -> Facts:
    """Raises `ConfigError` when the directory holds no run."""
    skipped: Skipped = Counter()
    gaps: list[str] = []
    run = _run(run_dir)
    calls = _calls(run_dir, run, gaps)
    asked = sorted(run_dir.path.glob("asked-*.jsonl"))
    if not asked:
        gaps.append("No client's history (asked-*.jsonl): rates and latencies over time are empty.")
    history = histories.read(asked, run.started_at, _step(run.seconds), skipped)
    codes = len(history.codes)
    if not run_dir.received.exists():
        gaps.append("No receipts (received.jsonl): when codes arrived is not known.")
    arrivals = histories.arrivals(run_dir.received, history.codes, skipped)
    samples = sampled.read(run_dir.samples, skipped)
    if not len(samples):
        gaps.append("No samples (samples.jsonl): memory, CPU, lag and backlog are not known.")
    verdict = _optional(run_dir.verdict, Verdict, gaps)
    if verdict is None:
        gaps.append(
            "No verdict (verdict.json): the history checker was not run, or did not end. "
            f"python -m loadtest.check {run_dir.path}"
        )
    gaps += [f"Not judged: {said}." for said in (verdict.unjudged if verdict else ())]
    on = _optional(run_dir.machine, dict[str, str], gaps)
    if on is None:
        on = machine.here()
        gaps.append("No machine.json: the machine named is the one this page was written on.")
    gaps += [f"{name}: {n:,} unreadable lines, left out." for name, n in skipped.items()]
    return Facts(run, calls, samples, history, arrivals, codes, verdict, on, gaps)


def _run(run_dir: RunDir) -> Run:
    try:
        return msgspec.json.decode(run_dir.run.read_bytes(), type=Run)
    except OSError as error:
        raise ConfigError(
            f"{run_dir.run}: {error.strerror}; name the directory of a run that was begun "
            "(python -m loadtest.load makes one)"
        ) from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"{run_dir.run}: {error}") from None


def _calls(run_dir: RunDir, run: Run, gaps: list[str]) -> dict[str, Calls]:
    calls = {name: Calls() for name in run.streams}
    workers = 0
    for path in sorted(run_dir.path.glob("latencies-*.json")):
        found = _optional(path, Latencies, gaps)
        if found is not None:
            workers += 1
            for name, stream in found.streams.items():
                calls.setdefault(name, Calls()).add(stream)
    if workers < run.workers:
        gaps.append(
            f"Latencies of {workers} of {run.workers} load workers: what the others did is "
            "missing from the tables."
        )
    if not run.broken_off:  # else what was still to come is nobody's fault
        for name, planned in run.streams.items():
            calls[name].intended = max(calls[name].intended, planned)
    return calls


def _optional(path: Path, kind: Any, gaps: list[str]) -> Any:
    """What a file holds; None where there is none, or where it cannot be read: then it is said."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        gaps.append(f"{path.name} cannot be read: {error}")
        return None


def _step(seconds: float) -> float:
    """Seconds between two points of a line."""
    least = max(1.0, seconds / _BINS)
    return next((step for step in _STEPS if step >= least), math.ceil(least))
