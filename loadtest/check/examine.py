"""The check itself, in the process that has the engine: files in, verdict out."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import asdict

from loadtest.check.collect import read_run
from loadtest.check.engine import Engine, Unreadable
from loadtest.check.meaning import OTHER, TYPES
from loadtest.check.records import Collected
from loadtest.check.statements import statement
from loadtest.check.tolerances import Tolerances
from loadtest.load.run_dir import FAULTS, Fault, RunDir, Verdict

_PEOPLE_MISSING: Final = "nobody is registered in it: whose an address is cannot be known"
_COLLECTED: Final = ("people", "received", "ended", "waves")
Told = Callable[[str], None]


def examine(
    engine: Engine, run_dir: RunDir, tolerances: Tolerances, told: Told = lambda _: None
) -> Verdict:
    """The verdict over one run, written to verdict.json. `told` hears each step as it begins.

    Raises `Unreadable` when a file is missing, cut or foreign, so that nothing can be judged.
    """
    began = time.monotonic()
    files, collected = _files(run_dir)
    engine.begin()
    _load(engine, files, told)
    cut = _lines(engine, run_dir, collected)
    told("putting together")
    engine.do("together")
    found = {}
    for name in FAULTS:
        told(name.replace("_", " "))
        found[name] = _fault(engine, name, asdict(tolerances) | {"missed": collected.missed})
    verdict = _verdict(engine, found, collected, cut, time.monotonic() - began)
    run_dir.verdict.write_bytes(msgspec.json.format(msgspec.json.encode(verdict)) + b"\n")
    return verdict


def _files(run_dir: RunDir) -> tuple[dict[str, Any], Collected]:
    run_dir.verdict.unlink(missing_ok=True)
    run = read_run(run_dir)
    try:
        collected = msgspec.json.decode(run_dir.collected.read_bytes(), type=Collected)
    except OSError:
        raise Unreadable(
            f"{run_dir.collected} is missing: nothing was collected, or that was broken off"
        ) from None
    except msgspec.DecodeError as error:
        raise Unreadable(f"{run_dir.collected}: {error}") from None
    paths = {name: getattr(run_dir, name) for name in _COLLECTED}
    if missing := [path for path in paths.values() if not path.exists()]:
        raise Unreadable(f"{missing[0]} is missing")
    if not list(run_dir.path.glob("asked-*.jsonl")):
        raise Unreadable(f"{run_dir.asked('*')} is missing: no client kept a history")
    named = {name: str(path.absolute()) for name, path in paths.items()}
    named["asked"] = str(run_dir.asked("*").absolute())
    return named | {"since": run.started_at}, collected


def _load(engine: Engine, files: dict[str, Any], told: Told) -> None:
    engine.do("tables")
    types = [(name, *meaning) for name, meaning in {**TYPES, "OTHER": OTHER}.items()]
    parameters = files | {"types": msgspec.json.encode(types).decode()}
    for name in ("asked", *_COLLECTED):
        told(f"reading {Path(files[name]).name}")
        try:
            engine.do(f"load/{name}", parameters)
        except Unreadable as error:
            raise Unreadable(f"{files[name]}: {error}") from None


def _lines(engine: Engine, run_dir: RunDir, collected: Collected) -> int:
    """How many lines of histories were cut. Raises `Unreadable` for files that are not whole."""
    ((cut, foreign, received, ended, waves, people),) = engine.rows(statement("lines"))
    if foreign:
        raise Unreadable(f"{run_dir.asked('*')}: {foreign} lines are no lines of a history")
    for name, there, said in (
        ("received", received, collected.received),
        ("ended", ended, collected.ended),
        ("waves", waves, collected.waves),
    ):
        if there != said:
            raise Unreadable(
                f"{getattr(run_dir, name)} has {there} lines and not {said}: collect again"
            )
    if not people:
        raise Unreadable(f"{run_dir.people}: {_PEOPLE_MISSING}")
    return int(cut)


def _fault(engine: Engine, name: str, parameters: dict[str, Any]) -> Fault:
    faults = statement(f"faults/{name}")
    ((count, examples),) = engine.rows(statement("fault").replace("$faults", faults), parameters)
    return Fault(int(count), list(examples))


def _verdict(
    engine: Engine, faults: dict[str, Fault], collected: Collected, cut: int, seconds: float
) -> Verdict:
    ((accepted, may, expected, received, unended, ended, sign_ups),) = engine.rows(
        statement("totals")
    )
    by_state: dict[str, int] = {}
    reasons = {}
    for state, reason, count in engine.rows(statement("states")):
        by_state[state] = by_state.get(state, 0) + int(count)
        if state != "delivered":
            reasons[f"{state}: {reason}" if reason else state] = int(count)
    return Verdict(
        accepted=int(accepted), may=int(may), expected_deliveries=int(expected),
        received=int(received), ended=int(ended), by_state=by_state, faults=faults,
        seconds=round(seconds, 3), reasons=reasons, unended=int(unended), sign_ups=int(sign_ups),
        cut=cut, unjudged=_unjudged(collected, faults, cut),
    )  # fmt: skip


def _unjudged(collected: Collected, faults: dict[str, Fault], cut: int) -> tuple[str, ...]:
    said = []
    if collected.missed:
        said.append(
            f"the sandbox's journal dropped {collected.missed} receipts before they were read: "
            "what is delivered by the books counts as received"
        )
    if cut and faults["phantom"].count:
        said.append(
            f"{cut} lines of histories were cut by a kill, and what was not yet written is not "
            "known: a phantom may have been asked for there"
        )
    return tuple(said)
