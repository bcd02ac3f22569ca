"""What a run comes to: its gates judged, and the report that is made of them."""

from typing import Final, Literal

import msgspec

from loadtest.load.run_dir import Fault, Run

Mark = Literal["passed", "failed", "void", "untold", "missing"]
"""`void`: the load was at fault. `untold`: too little to tell, which is no failure. `missing`: what
it takes was not there."""
Outcome = Literal["passed", "failed", "void", "incomplete"]

GROUPS: Final = {
    "right": "Nothing lost, nothing wrong",
    "fast": "Fast enough",
    "kept_up": "Kept up",
    "memory": "Steady memory",
    "load": "The load itself",
}


class Judged(msgspec.Struct, frozen=True):
    """A gate (`name` is its key in the gates file), its bound, what was found, and why."""

    group: str
    name: str
    about: str
    bound: float
    value: float | None
    mark: Mark
    bound_said: str
    value_said: str
    why: str = ""


class StreamReport(msgspec.Struct, frozen=True):
    """A stream in calls; milliseconds from the intended moment, by percentile (`100`: the most)."""

    intended: int
    begun: int
    accepted: int
    refused: int
    unknown: int
    notifications: int
    answer_ms: dict[str, float]
    lag_ms: dict[str, float]


class Report(msgspec.Struct, frozen=True):
    """`report.json`."""

    verdict: Outcome
    headline: str
    written_at: float
    run: Run
    notifications: int
    drained_seconds: float | None
    gates: list[Judged]
    streams: dict[str, StreamReport]
    codes_arrival_ms: dict[str, float]
    faults: dict[str, Fault]
    machine: dict[str, str]
    gaps: list[str]


def outcome(judged: list[Judged], broken_off: bool) -> Outcome:
    """What the gates come to. What was done wrong counts whatever the load was like; a load that
    was late says nothing of how fast the system is."""
    failed = {gate.group for gate in judged if gate.mark == "failed"}
    if "right" in failed:
        return "failed"
    if any(gate.mark == "void" for gate in judged):
        return "void"
    if failed:
        return "failed"
    if broken_off or any(gate.mark == "missing" for gate in judged):
        return "incomplete"
    return "passed"
