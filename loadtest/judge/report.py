"""`report.json` and `report.html` of a run, from what its directory holds."""

import time
from typing import Final

import msgspec

from loadtest.judge import facts as reading
from loadtest.judge import page
from loadtest.judge.facts import Calls, Facts
from loadtest.judge.gates import Gates
from loadtest.judge.headline import headline
from loadtest.judge.judged import Judged, Report, StreamReport, outcome
from loadtest.judge.judging import drained, judge
from loadtest.load.histogram import Histogram
from loadtest.load.run_dir import RunDir

PERCENTILES: Final = (50.0, 95.0, 99.0, 99.9, 100.0)


def write(run_dir: RunDir, gates: Gates) -> Report:
    """Judge the run and write both files; each is there whole or as it was before.

    Raises `ConfigError` when the directory holds no run. Whatever else is missing is said in the
    report.
    """
    facts = reading.read(run_dir)
    report = _report(facts, judge(facts, gates))
    text = page.render(report, facts, gates)
    _replace(run_dir, msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n", text)
    return report


def _report(facts: Facts, judged: list[Judged]) -> Report:
    found = outcome(judged, bool(facts.run.broken_off))
    return Report(
        verdict=found,
        headline=headline(found, facts, judged),
        written_at=time.time(),
        run=facts.run,
        notifications=facts.notifications,
        drained_seconds=drained(facts),
        gates=judged,
        streams={name: _stream(calls) for name, calls in facts.calls.items()},
        codes_arrival_ms=_percentiles(facts.arrivals),
        faults=facts.verdict.faults if facts.verdict else {},
        machine=facts.machine,
        gaps=facts.gaps,
    )


def _stream(calls: Calls) -> StreamReport:
    return StreamReport(
        calls.intended, calls.begun, calls.accepted, calls.refused, calls.unknown,
        calls.notifications, _percentiles(calls.latency), _percentiles(calls.lag),
    )  # fmt: skip


def _percentiles(times: Histogram) -> dict[str, float]:
    """Empty where nothing was timed."""
    found = {p: times.percentile(p) for p in PERCENTILES}
    return {f"{p:g}": round(s * 1e3, 3) for p, s in found.items() if s is not None}


def _replace(run_dir: RunDir, report: bytes, text: str) -> None:
    for path, content in ((run_dir.page, text.encode()), (run_dir.report, report)):
        new = path.with_name(path.name + ".new")
        new.write_bytes(content)
        new.replace(path)
