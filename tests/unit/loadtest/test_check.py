"""The history checker finds nothing in a correct history, and in one with a planted fault exactly
that. One process, so one engine, judges them all."""

import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from loadtest.check.checker import FAULTY
from loadtest.load.run_dir import FAULTS, RunDir, Verdict
from tests.unit.loadtest.history import history
from tests.unit.loadtest.planting import PLANTS

pytestmark = pytest.mark.timeout(600)  # everything is judged before the first test
CORRECT = range(4)
_FIRST_PLANTED = 100


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Verdict, dict[str, int]]]:
    """By name: the verdict, and what it has to be."""
    home = tmp_path_factory.mktemp("runs")
    wanted: dict[str, dict[str, int]] = {}
    for seed in CORRECT:
        history(seed).write(home / f"correct-{seed}")
        wanted[f"correct-{seed}"] = {}
    for seed, (name, plant) in enumerate(PLANTS.items(), _FIRST_PLANTED):
        made = history(seed)
        wanted[name] = plant(made, random.Random(seed))
        made.write(home / name)
    assert _judge(*(home / name for name in wanted)).returncode == FAULTY
    return {name: (_verdict(home / name), found) for name, found in wanted.items()}


def _judge(*runs: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "loadtest.check", *map(str, runs)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _verdict(run: Path) -> Verdict:
    return msgspec.json.decode(RunDir(run).verdict.read_bytes(), type=Verdict)


def _found(verdict: Verdict) -> dict[str, int]:
    return {name: fault.count for name, fault in verdict.faults.items() if fault.count}


Judged = dict[str, tuple[Verdict, dict[str, int]]]


@pytest.mark.parametrize("seed", CORRECT)
def test_a_correct_history_has_no_fault(judged: Judged, seed: int) -> None:
    verdict, _ = judged[f"correct-{seed}"]
    assert [fault.examples for fault in verdict.faults.values()] == [[] for _ in FAULTS]
    assert _found(verdict) == {}
    assert verdict.unjudged == ()
    assert verdict.unended == 0


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found_and_nothing_else(judged: Judged, name: str) -> None:
    verdict, wanted = judged[name]
    assert _found(verdict) == wanted, {k: f.examples for k, f in verdict.faults.items()}
    (fault,) = (verdict.faults[each] for each in wanted)
    assert 1 <= len(fault.examples) <= fault.count


def test_every_class_is_planted(judged: Judged) -> None:
    assert {each for _, wanted in judged.values() for each in wanted} == set(FAULTS)


def test_the_books_add_up(judged: Judged) -> None:
    for verdict, _ in judged.values():
        assert sum(verdict.by_state.values()) == verdict.ended
        assert sum(verdict.reasons.values()) == verdict.ended - verdict.by_state["delivered"]
        assert verdict.accepted > verdict.may > 0
        assert verdict.expected_deliveries > verdict.accepted
