"""The run in one sentence."""

from loadtest.judge.facts import Facts
from loadtest.judge.judged import Judged, Outcome
from loadtest.judge.words import count, ms


def headline(outcome: Outcome, facts: Facts, judged: list[Judged]) -> str:
    """What a manager reads first, and maybe last."""
    said = {
        "passed": _passed,
        "failed": _failed,
        "void": _void,
        "incomplete": _incomplete,
    }
    return said[outcome](facts, judged)


def _passed(facts: Facts, _: list[Judged]) -> str:
    faults = facts.verdict.faults if facts.verdict else {}
    lost = faults["lost"].count if "lost" in faults else 0
    told = f"{count(lost)} of them lost" if lost else "every one accounted for"
    parts = [f"{count(facts.notifications)} notifications accepted", told]
    twice = faults["duplicate"].count if "duplicate" in faults else 0
    parts.append(f"{count(twice)} sent twice" if twice else "none sent twice")
    if p99 := facts.arrivals.percentile(99):
        parts.append(f"99 of 100 codes at their provider within {ms(p99 * 1e3)}")
    after = f", with {_killed(len(facts.kills))} on the way" if facts.kills else ""
    return f"Passed: {', '.join(parts)}{after}."


def _failed(_: Facts, judged: list[Judged]) -> str:
    bad = [gate for gate in judged if gate.mark == "failed"]
    said = [f"{_lower(g.about)}: {g.value_said} ({g.bound_said} allowed)" for g in bad[:3]]
    worst = "; ".join([*said, *([f"and {len(bad) - 3} more"] if len(bad) > 3 else [])])
    gates = f"{len(bad)} of {len(judged)} gates did not hold"
    return f"Failed: {gates}. {worst[:1].upper()}{worst[1:]}."


def _void(_: Facts, judged: list[Judged]) -> str:
    bad = [gate for gate in judged if gate.mark == "void"]
    found = "; ".join(f"{_lower(g.about)}: {g.value_said}, {g.bound_said} wanted" for g in bad)
    return (
        f"Void: the load did not keep its own pace ({found}), so this run does not say how fast "
        "the system is. Give the load more cores, or ask for less."
    )


def _incomplete(facts: Facts, judged: list[Judged]) -> str:
    if facts.run.broken_off:
        why = facts.run.broken_off.rstrip(".")
        return f"Incomplete: the run was broken off ({why}). What is known is below."
    names = [_lower(gate.about) for gate in judged if gate.mark == "missing"]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"Incomplete: nothing failed, but this is not known: {'; '.join(names[:3])}{more}."


def _killed(n: int) -> str:
    return "a process killed" if n == 1 else f"{n} processes killed"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
