"""What the history checker does with files that are cut, missing or foreign, and its command."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from loadtest.check.checker import CLEAN, FAULTY, UNJUDGED, check, exit_code
from loadtest.check.engine import Unreadable
from loadtest.check.meaning import CLASSES, OTHER, TYPES
from loadtest.check.records import Collected
from loadtest.check.show import show
from loadtest.load.run_dir import FAULTS, RunDir, Verdict
from streams.rules import load_rules
from tests.unit.loadtest.history import History, history

_RUNS = ("whole", "cut", "short", "foreign", "garbled", "uncollected", "missed", "nobody")
pytestmark = pytest.mark.timeout(600)


def _command(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "loadtest.check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _cut_in_the_middle(made: History, run_dir: RunDir) -> None:
    """A worker was killed in mid-line and started again: it wrote on behind the cut."""
    lines = run_dir.asked("w1").read_bytes().splitlines(keepends=True)
    lines[3] = lines[2][:70] + lines[3]
    run_dir.asked("w1").write_bytes(b"".join(lines))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunDir]:
    """Spoilt in different ways, and judged in one process."""
    home = tmp_path_factory.mktemp("spoilt")
    made = history(7)
    made.tail = b'{"kind":"notification","stre'
    found = {
        name: made.write(home / name)
        for name in (
            "whole",
            "cut",
            "short",
            "foreign",
            "garbled",
            "uncollected",
            "missed",
            "nobody",
        )
    }
    _cut_in_the_middle(made, found["cut"])
    received = found["short"].received.read_bytes().splitlines(keepends=True)
    found["short"].received.write_bytes(b"".join(received[:-1]))
    with found["foreign"].asked("w1").open("ab") as file:
        file.write(b"192.0.2.7 - - GET /index.html\n")
    with found["garbled"].ended.open("ab") as file:
        file.write(b'{"delivery_id":"n1:pu')
    found["uncollected"].collected.unlink()
    said = Collected(len(made.received), len(made.ended), len(made.waves), missed=12)
    found["missed"].collected.write_bytes(msgspec.json.encode(said))
    found["nobody"].people.write_bytes(b"")
    outcome = _command(*(run.path for run in found.values()))
    assert outcome.returncode == UNJUDGED
    for name, run in found.items():
        (run.path / "said").write_text(
            "\n".join(line for line in outcome.stderr.splitlines() if f"/{name}/" in line)
        )
    return found


def _verdict(run: RunDir) -> Verdict:
    return msgspec.json.decode(run.verdict.read_bytes(), type=Verdict)


def test_a_last_line_that_a_kill_cut_is_counted_and_no_fault(runs: dict[str, RunDir]) -> None:
    verdict = _verdict(runs["whole"])
    assert verdict.cut == 1
    assert exit_code(verdict) == CLEAN


def test_what_was_written_behind_a_cut_is_read(runs: dict[str, RunDir]) -> None:
    verdict = _verdict(runs["cut"])
    assert verdict.cut == 2
    assert msgspec.structs.replace(verdict, cut=1, seconds=0) == msgspec.structs.replace(
        _verdict(runs["whole"]), seconds=0
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("short", "received.jsonl has"),
        ("foreign", "1 lines are no lines of a history"),
        ("garbled", "ended.jsonl"),
        ("uncollected", "collected.json is missing"),
        ("nobody", "nobody is registered in it"),
    ],
)
def test_a_file_that_is_not_whole_is_named(runs: dict[str, RunDir], name: str, said: str) -> None:
    assert not runs[name].verdict.exists()
    assert said in (runs[name].path / "said").read_text()


def test_receipts_that_nobody_could_read_leave_no_clean_verdict(runs: dict[str, RunDir]) -> None:
    verdict = _verdict(runs["missed"])
    assert "dropped 12 receipts" in verdict.unjudged[0]
    assert exit_code(verdict) == UNJUDGED


def test_check_judges_in_a_process_of_its_own(tmp_path: Path) -> None:
    made = history(8)
    made.received.append(made.received[0])
    run = made.write(tmp_path / "run")
    (run.path / "check-99999999-of-a-killed-one").mkdir()
    verdict = check(run)
    assert verdict.faults["duplicate"].count == 1
    assert exit_code(verdict) == FAULTY
    assert not list(run.path.glob("check-*")), "its scratch stays"
    shown = StringIO()
    show(Console(file=shown, width=200), verdict)
    assert f"{made.received[0].delivery_id}: received" in shown.getvalue()


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"run\.json: No such file"):
        check(RunDir(tmp_path))


def test_types_mean_what_the_bundled_rules_say() -> None:
    rules = load_rules()
    assert set(TYPES) | {"OTHER"} == set(rules.types)
    for name, meaning in {**TYPES, "OTHER": OTHER}.items():
        rule = rules.types[name]
        assert meaning.channels == tuple(map(str, rule.channels)), name
        assert meaning.lifetime == rule.lifetime.total_seconds(), name
        assert meaning.marketing == (rule.category == "promotional"), name
    assert tuple(CLASSES) == FAULTS
