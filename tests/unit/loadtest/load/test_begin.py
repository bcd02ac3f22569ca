"""What a run says of itself, and what somebody sees who waits for it."""

from pathlib import Path

import msgspec
from rich.console import Console

from loadtest.load import begin
from loadtest.load.progress import Progress
from loadtest.load.run_dir import Run, RunDir
from loadtest.load.screen import Screen
from loadtest.load.shapes import plan


def test_a_run_is_described_by_its_plan_before_its_first_call(tmp_path: Path) -> None:
    chosen = plan("day", 0.0005, 60)
    run = begin.described(chosen, "load1", 7, "http://127.0.0.1:1", workers=2)
    begin.keep(RunDir(tmp_path), run)
    found = begin.read(tmp_path)
    assert found == run
    assert (found.shape, found.scale, found.seconds, found.seed) == ("day", 0.0005, 60, 7)
    assert found.streams == {flow.stream: flow.calls for flow in chosen.flows}
    assert found.people == chosen.people


def test_what_is_done_on_the_way_is_added_in_order(tmp_path: Path) -> None:
    run_dir = RunDir(tmp_path)
    begin.keep(run_dir, begin.described(plan("day"), "load1", 1, "http://127.0.0.1:1", 1))
    begin.noted(run_dir, "kill -9 writer")
    begin.noted(run_dir, "fault: fcm answers 503 for 5 s")
    found = msgspec.json.decode(run_dir.run.read_bytes(), type=Run)
    assert [what for _, what in found.events] == [
        "kill -9 writer", "fault: fcm answers 503 for 5 s",
    ]  # fmt: skip
    assert found.events[0][0] <= found.events[1][0]


def test_a_line_tells_how_it_goes_and_the_last_one_what_it_came_to() -> None:
    console = Console(record=True, width=300, force_terminal=False)
    with Screen(console, seconds=60) as screen:
        screen.show(Progress(10, 10, 9, 1, 0, 500, 0.0123), backlog=1_234)
        screen.ended(Progress(20, 19, 17, 1, 1, 900), broken="")
        screen.ended(Progress(20, 19, 17, 1, 1, 900), broken="stopped by hand")
    going, over, broken = console.export_text().splitlines()
    assert "9 accepted, 1 refused, 0 unanswered" in going
    assert "late 12 ms" in going
    assert "backlog 1,234" in going
    assert over.startswith("the load is over: 20 calls meant, 19 begun, 17 accepted")
    assert broken.startswith("load broken off: stopped by hand: 20 calls meant")
