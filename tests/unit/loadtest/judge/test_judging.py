"""Each gate lets a good run pass, and fails when the one thing it watches is spoilt."""

from pathlib import Path

import pytest

from loadtest.judge import facts as reading
from loadtest.judge import gates
from loadtest.judge.judged import Judged, outcome
from loadtest.judge.judging import judge
from loadtest.load.run_dir import RunDir
from tests.unit.loadtest.judge.made import Made
from tocsin.errors import ConfigError

KILLED = [(300.0, "kill -9 streams-1"), (400.0, "kill -9 sender-push-0")]


def judged(path: Path, made: Made, bounds: str = "") -> tuple[str, dict[str, Judged]]:
    file = path / "gates.toml"
    file.write_text(bounds)
    facts = reading.read(made.write(path))
    found = judge(facts, gates.load(file))
    return outcome(found, bool(facts.run.broken_off)), {gate.name: gate for gate in found}


def test_a_good_run_passes_every_gate(tmp_path: Path) -> None:
    said, found = judged(tmp_path, Made())
    assert said == "passed"
    assert {gate.mark for gate in found.values()} == {"passed"}, found
    assert {"faults.lost", "duplicates", "otp.arrival_p99_ms", "answer_p99_ms.rest",
            "achieved.all", "backlog.drained_s", "memory.streams", "dispatch.lag_p99_ms",
            "dispatch.begun"} <= found.keys()  # fmt: skip


@pytest.mark.parametrize(
    ("made", "gate"),
    [
        *((Made(faults={name: 1}), f"faults.{name}") for name in gates.load().faults),
        (Made(faults={"duplicate": 1}), "duplicates"),
        (Made(arrival=0.6), "otp.arrival_p99_ms"),
        (Made(answer=0.25), "answer_p99_ms.rest"),
        (Made(answer=0.25), "answer_p99_ms.batch"),
        (Made(answered=0.97), "achieved.all"),
        (Made(drained_after=320, watched_after=400), "backlog.drained_s"),
        (Made(growing={"api": 200}), "memory.api"),
    ],
)
def test_one_thing_spoilt_fails_its_gate_and_the_run(tmp_path: Path, made: Made, gate: str) -> None:
    said, found = judged(tmp_path, made)
    assert said == "failed"
    family = gate.partition(".")[0]
    failed = {name for name, one in found.items() if one.mark == "failed"}
    assert gate in failed
    assert {name.partition(".")[0] for name in failed} == {family}


@pytest.mark.parametrize(
    ("made", "gate"),
    [(Made(lag=0.3), "dispatch.lag_p99_ms"), (Made(begun=0.98), "dispatch.begun")],
)
def test_a_load_that_was_late_voids_the_run(tmp_path: Path, made: Made, gate: str) -> None:
    said, found = judged(tmp_path, made, "[answer_p99_ms]\nrest = 1\n")
    assert found["answer_p99_ms.rest"].mark == "failed"
    assert found[gate].mark == "void"
    assert said == "void"


def test_what_was_lost_fails_even_a_run_that_is_void(tmp_path: Path) -> None:
    assert judged(tmp_path, Made(lag=0.3, faults={"lost": 1}))[0] == "failed"


def test_only_the_kill_of_a_sender_allows_what_was_under_way_twice(tmp_path: Path) -> None:
    few, per_kill = Made(faults={"duplicate": 15}, events=KILLED), "[duplicates_per_kill]\nsender ="
    _, found = judged(tmp_path, few, f"{per_kill} 15\n")
    assert (found["duplicates"].mark, found["duplicates"].bound) == ("passed", 15)
    _, found = judged(tmp_path, few, f"{per_kill} 14\n")
    assert found["duplicates"].mark == "failed"
    others = [(9.0, "fault: apns answers 503 for 60 s"), (9.0, "not done: sender-push-0 is away"),
              (9.0, "kill -9 streams-1"), (10.0, "kill -9 writer")]  # fmt: skip
    fault = Made(faults={"duplicate": 1}, events=others)
    assert judged(tmp_path, fault)[1]["duplicates"].bound == 0


def test_99_of_a_few_calls_is_not_judged(tmp_path: Path) -> None:
    _, found = judged(tmp_path, Made(seconds=120, answer=0.4, arrival=0.4))
    assert found["otp.arrival_p99_ms"].mark == found["answer_p99_ms.rest"].mark == "untold"


def test_a_share_of_the_deliveries_may_come_twice(tmp_path: Path) -> None:
    made = Made(faults={"duplicate": 3})
    assert judged(tmp_path, made, "[duplicates]\nshare = 0.001\n")[1]["duplicates"].mark == "passed"


def test_memory_after_a_kill_is_looked_at_when_it_has_settled(tmp_path: Path) -> None:
    late = Made(growing={"api": 900}, events=[(1300.0, "kill -9 api")])
    said, found = judged(tmp_path, late)
    assert (said, found["memory.api"].mark) == ("passed", "untold")
    assert "of the 10 min" in found["memory.api"].why
    early = Made(growing={"api": 900}, events=[(600.0, "kill -9 api")])
    assert judged(tmp_path, early)[1]["memory.api"].mark == "failed"


def test_little_in_megabytes_is_no_growth_and_stores_may_grow(tmp_path: Path) -> None:
    made = Made(growing={"otp worker": 60, "valkey": 4000, "broker": 4000})
    said, found = judged(tmp_path, made)
    assert said == "passed"
    assert "say nothing" in found["memory.otp worker"].why
    assert "memory.valkey" not in found


def test_without_a_verdict_a_run_is_incomplete(tmp_path: Path) -> None:
    said, found = judged(tmp_path, Made(verdict=False))
    assert said == "incomplete"
    assert found["faults.lost"].mark == found["duplicates"].mark == "missing"


def test_what_the_checker_left_open_is_no_proof(tmp_path: Path) -> None:
    said, found = judged(tmp_path, Made(unjudged=("the journal dropped 5 receipts",)))
    assert said == "incomplete"
    assert "dropped 5" in found["unjudged"].why


def test_a_run_that_was_broken_off_does_not_pass_and_owes_only_what_was_due(
    tmp_path: Path,
) -> None:
    said, found = judged(tmp_path, Made(broken_off="stopped by hand", planned=2.0))
    assert said == "incomplete"
    assert found["achieved.all"].mark == found["dispatch.begun"].mark == "passed"
    assert judged(tmp_path, Made(planned=2.0))[0] == "void"


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run\.json: No such file"):
        reading.read(RunDir(tmp_path))
    (tmp_path / "run.json").write_text('{"run": 3}')
    with pytest.raises(ConfigError, match=r"run\.json: Expected `str`"):
        reading.read(RunDir(tmp_path))
