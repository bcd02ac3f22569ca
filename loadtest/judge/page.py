"""The page a manager reads: one file with its style and its pictures in it, and no script."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from msgspec.structs import replace

from loadtest.judge import pictures
from loadtest.judge.facts import Facts
from loadtest.judge.gates import Gates
from loadtest.judge.judged import GROUPS, Judged, Mark, Report
from loadtest.judge.words import CLASSES, count, ms, seconds, short

_HERE: Final = Path(__file__).parent
MARKS: Final = {
    "passed": ("✓", "held"),
    "failed": ("✕", "did not hold"),
    "void": ("!", "void"),
    "untold": ("–", "too short to tell"),
    "missing": ("?", "not known"),
}
"""A sign and a word, so that nothing depends on a colour."""


@dataclass(frozen=True)
class Figure:
    """A large number with what it is."""

    label: str
    value: str
    about: str = ""


def render(report: Report, facts: Facts, gates: Gates) -> str:
    """The HTML."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"ms": ms, "count": count, "seconds": seconds, "short": short}
    return environment.get_template("page.html").render(
        report=report, run=report.run, marks=MARKS, classes=CLASSES,
        figures=_figures(report, facts), groups=_groups(report.gates),
        held=_held(report.gates), facts=facts,
        plots=pictures.over_time(facts), answers=pictures.answers(facts, gates),
        parts=pictures.parts(facts, report.gates, gates), cpu=pictures.cpu(facts),
        marked=[(at - report.run.started_at, text) for at, text in sorted(report.run.events)],
        limits=_limits(report, facts), written=_date(report.written_at),
        began=_date(report.run.started_at), clock=pictures.clock,
    )  # fmt: skip


def _groups(gates: list[Judged]) -> list[tuple[str, list[Judged]]]:
    found = [(said, [g for g in gates if g.group == group]) for group, said in GROUPS.items()]
    return [(said, _alike(held)) for said, held in found if held]


def _alike(gates: list[Judged]) -> list[Judged]:
    """Parts of whose memory nothing can be told for the same reason are one line."""
    first = gates[0]
    if (
        first.group != "memory"
        or len(gates) == 1
        or {(g.mark, g.why) for g in gates} != {("untold", first.why)}
    ):
        return gates
    return [replace(first, about=f"Memory of {len(gates)} parts of the system")]


def _held(gates: list[Judged]) -> str:
    """How many did what, in words."""
    marks = Counter(gate.mark for gate in gates)
    said: dict[Mark, str] = {
        "failed": "did not hold", "void": "void the run", "missing": "not known",
        "untold": "of a run too short to tell",
    }  # fmt: skip
    rest = [f"{marks[mark]} {words}" for mark, words in said.items() if marks[mark]]
    return ", ".join([f"{marks['passed']} of {len(gates)} gates held", *rest]) + "."


def _figures(report: Report, facts: Facts) -> list[Figure]:
    faults = report.faults
    taken = facts.history.taken
    found = [Figure("Accepted", count(report.notifications), f"notifications, {_when(facts)}")]
    if faults:
        deliveries = facts.verdict.received if facts.verdict else 0
        found.append(
            Figure("Lost", count(faults["lost"].count), f"of {count(report.notifications)}")
        )
        found.append(
            Figure(
                "Sent twice", count(faults["duplicate"].count), f"of {count(deliveries)} messages"
            )
        )
    if taken:
        found.append(Figure("Busiest second", count(max(taken.values())), "notifications taken"))
    if p99 := report.codes_arrival_ms.get("99"):
        found.append(Figure("Codes, p99", ms(p99), "from request to provider"))
    if report.drained_seconds is not None:
        found.append(Figure("Drained in", seconds(report.drained_seconds), "after the load ended"))
    return found


def _when(facts: Facts) -> str:
    return f"in {seconds(max(0.0, facts.load_ended - facts.run.started_at))}"


def _limits(report: Report, facts: Facts) -> list[str]:
    """What these figures do not say."""
    said = [
        "Times run from the moment a call was meant to be made, not from when it was: a system "
        "that stalls is not asked less, and does not look better for it.",
        "The providers are the sandbox on this network. The real ones are further away and "
        "slower; their time comes on top.",
        "A percentile may be up to 0.8 % too high: that is the width of a histogram's bucket.",
        "Memory is resident memory; what processes share is counted in each of them.",
        "Lag and backlog are looked at once a second. The embedded broker may understate a lag "
        "above zero, and a row written twice after a kill counts twice for some minutes.",
    ]
    if facts.run.scale != 1:
        said.insert(
            0, f"This is the shape “{report.run.shape}” at a scale of {report.run.scale:g}. What "
            "the whole of it takes is for the capacity model to say (python -m loadtest.capacity).",
        )  # fmt: skip
    if facts.verdict and facts.verdict.may:
        said.append(
            f"{facts.verdict.may:,} calls had no answer: they may have been accepted, so they "
            "count neither as lost nor as phantom."
        )
    return said


def _date(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
