"""The report is written whatever is missing, is one file, and quotes nobody as HTML."""

import re
from pathlib import Path

import msgspec
import pytest
from typer import Typer
from typer.testing import CliRunner

from loadtest.judge import gates
from loadtest.judge import report as reports
from loadtest.judge.__main__ import main
from loadtest.judge.judged import Report
from loadtest.load.run_dir import FAULTS, RunDir
from tests.unit.loadtest.judge.made import HOSTILE, Made

SHORT = Made(seconds=240, per_second=3)


def written(path: Path, made: Made) -> tuple[Report, str]:
    report = reports.write(made.write(path), gates.load())
    return report, (path / "report.html").read_text()


def test_a_good_run_is_told_in_one_sentence_and_for_machines(tmp_path: Path) -> None:
    made = Made(seconds=240, per_second=3, events=[(60.0, "kill -9 streams-1")])
    report, page = written(tmp_path, made)
    accepted = f"{report.notifications:,} notifications accepted"
    assert report.headline == (
        f"Passed: {accepted}, every one accounted for, none sent twice, 99 of 100 codes at their "
        "provider within 100 ms, with a process killed on the way."
    )
    kept = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Report)
    assert kept.verdict == "passed"
    assert kept.gates == report.gates
    assert set(kept.streams) == {"rest", "batch", "kafka", "otp"}
    assert set(kept.streams["rest"].answer_ms) == {"50", "95", "99", "99.9", "100"}
    for said in (accepted, "kill -9 streams-1", "Made up", "shape “day” at a scale of 0.02"):
        assert said in page


def test_the_page_needs_nothing_from_anywhere(tmp_path: Path) -> None:
    _, page = written(tmp_path, SHORT)
    assert not re.search(r"<(script|link(?! rel=\"icon\")|img|iframe)\b|@import|url\(", page)
    assert not re.search(r"""(src|href)=["'](?!data:,)""", page)


def test_what_a_run_holds_is_never_markup(tmp_path: Path) -> None:
    made = Made(seconds=240, per_second=3, faults={"lost": 3}, events=[(9.0, HOSTILE)],
                broken_off=HOSTILE)  # fmt: skip
    report, page = written(tmp_path, made)
    assert report.verdict == "failed"
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") >= 5
    assert f"{HOSTILE} lost 0" in next(g.why for g in report.gates if g.name == "faults.lost")


def test_a_run_that_was_broken_off_is_reported_with_what_is_known(tmp_path: Path) -> None:
    why = "no call was answered for 60 s"
    made = Made(seconds=240, per_second=3, broken_off=why, verdict=False, samples=False,
                received=False)  # fmt: skip
    report, page = written(tmp_path, made)
    assert report.verdict == "incomplete"
    assert report.headline == f"Incomplete: the run was broken off ({why}). What is known is below."
    assert [gap.partition(" (")[0] for gap in report.gaps] == [
        "No receipts", "No samples", "No verdict",
    ]  # fmt: skip
    assert "Not known: there is no verdict.json." in page


def test_a_run_of_which_only_the_plan_is_left_is_reported(tmp_path: Path) -> None:
    run_dir = SHORT.write(tmp_path)
    for file in tmp_path.iterdir():
        if file != run_dir.run:
            file.unlink()
    report = reports.write(run_dir, gates.load())
    assert report.verdict in ("void", "incomplete")
    assert run_dir.page.stat().st_size > 10_000


def test_files_that_a_kill_cut_are_named(tmp_path: Path) -> None:
    run_dir = SHORT.write(tmp_path)
    for path in (run_dir.verdict, run_dir.asked("w1"), run_dir.latencies("w1")):
        path.write_bytes(path.read_bytes()[:-20])
    gaps = "\n".join(reports.write(run_dir, gates.load()).gaps)
    for said in ("verdict.json cannot be read", "asked-w1.jsonl: 1 unreadable",
                 "latencies-w1.json cannot be read", "Latencies of 0 of 1 load"):  # fmt: skip
        assert said in gaps


def test_every_class_of_fault_is_on_the_page_in_words(tmp_path: Path) -> None:
    report, page = written(tmp_path, SHORT)
    assert set(report.faults) == set(FAULTS)
    for name in FAULTS:
        assert f"<small>{name}</small>" in page


@pytest.mark.parametrize(
    ("made", "code"),
    [(SHORT, 0), (Made(seconds=240, faults={"lost": 1}), 1), (Made(seconds=240, lag=1), 2),
     (Made(seconds=240, verdict=False), 2)],
)  # fmt: skip
def test_the_command_ends_with_what_it_found(tmp_path: Path, made: Made, code: int) -> None:
    run_dir = made.write(tmp_path)
    done = CliRunner().invoke(_app(), [str(tmp_path)])
    assert done.exit_code == code, done.output
    assert run_dir.page.resolve().as_uri() in done.output


def test_the_command_refuses_a_wrong_directory_or_file(tmp_path: Path) -> None:
    (wrong := tmp_path / "wrong.toml").write_text("[faults]\nlost = -1\n")
    done = CliRunner().invoke(_app(), [str(tmp_path / "none")])
    assert (done.exit_code, "run.json" in done.output) == (2, True)
    SHORT.write(tmp_path)
    done = CliRunner().invoke(_app(), [str(tmp_path), "--gates", str(wrong)])
    assert (done.exit_code, "faults.lost" in done.output) == (2, True)
    assert not RunDir(tmp_path).page.exists()


def _app() -> Typer:
    app = Typer()
    app.command()(main)
    return app
