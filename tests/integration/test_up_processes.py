"""How `tocsin up` keeps processes, with stand-ins for the real ones and the real supervisord."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.integration.conftest import wait_until

pytestmark = pytest.mark.integration


@contextmanager
def up(data_dir: Path, *args: str) -> Iterator["subprocess.Popen[str]"]:
    """Stand-ins that serve; whatever is left of them afterwards is ended."""
    command = [sys.executable, "-m", "tests.integration.standins.up", str(data_dir), *args]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process
    finally:
        left = mentioning(data_dir)
        process.kill()
        process.wait()
        process.stdout.close()
        for other in left:
            with suppress(psutil.NoSuchProcess):
                other.kill()


def read_until(process: "subprocess.Popen[str]", word: str) -> list[str]:
    assert process.stdout
    found = []
    for line in process.stdout:
        found.append(line.strip())
        if line.startswith(word):
            return found
    raise AssertionError(f"ended before it said {word!r}: {found}")


def mentioning(data_dir: Path) -> "list[psutil.Process]":
    """Everything that runs for this data directory, children that left their group included."""
    mine: list[psutil.Process] = [p for p in psutil.process_iter() if _mentions(p, str(data_dir))]
    return mine + [child for p in mine for child in _children(p)]


def _mentions(process: psutil.Process, text: str) -> bool:
    try:
        return any(text in arg for arg in process.cmdline())
    except psutil.Error:
        return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    with suppress(psutil.Error):
        found += process.children(recursive=True)
    return found


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if _lives(p)]


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False


def pid_of(data_dir: Path, name: str) -> int:
    return int(json.loads((data_dir / "run" / f"{name}.ready").read_text())["pid"])


def notes(data_dir: Path) -> list[str]:
    return (data_dir / "notes").read_text().splitlines()


def test_waves_start_in_order_when_ready_and_stop_in_the_reverse(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        read_until(process, "serving")
        everything = mentioning(tmp_path)
        process.terminate()
        assert read_until(process, "closed")
        assert process.wait(20) == 0
        assert not alive(everything)
    said = notes(tmp_path)
    assert said.index("ready engine-a") < said.index("start worker")
    assert said.index("ready engine-b") < said.index("start worker")
    assert said.index("ready worker") < said.index("start api")
    ends = [line for line in said if line.startswith("end")]
    assert ends[:2] == ["end api", "end worker"]
    assert sorted(ends[2:]) == ["end engine-a", "end engine-b"]
    assert (tmp_path / "log" / "migrate.log").read_text() == "migrated\n"


def test_a_killed_process_is_started_again_with_what_is_true_now(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        read_until(process, "serving")
        first = pid_of(tmp_path, "worker")
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: pid_of(tmp_path, "worker") != first)
        ready = json.loads((tmp_path / "run" / "worker.ready").read_text())
        assert ready["epoch"] == "second"
        assert len((tmp_path / "run" / "worker.starts").read_text().splitlines()) == 2


def test_a_killed_head_of_a_family_takes_its_daemons_along(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        read_until(process, "serving")
        head = psutil.Process(pid_of(tmp_path, "engine-b"))
        daemons = head.children()
        assert daemons
        head.kill()
        wait_until(lambda: not alive(daemons))
        wait_until(lambda: pid_of(tmp_path, "engine-b") != head.pid)


def test_kill_9_of_up_itself_leaves_nothing(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        read_until(process, "serving")
        everything = mentioning(tmp_path)
        assert len(everything) >= 8
        process.kill()
        wait_until(lambda: not alive(everything))
    assert [line for line in notes(tmp_path) if line.startswith("end")][:2] == [
        "end api", "end worker",
    ]  # fmt: skip


def test_kill_9_of_supervisord_leaves_nothing_once_up_has_ended(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        read_until(process, "serving")
        everything = mentioning(tmp_path)
        supervisord = int((tmp_path / "run" / "supervisord.pid").read_text())
        os.kill(supervisord, signal.SIGKILL)
        process.terminate()
        process.wait(20)
        wait_until(lambda: not alive(everything))


def test_a_process_that_does_not_start_ends_all_and_shows_its_last_words(tmp_path: Path) -> None:
    with up(tmp_path, "broken") as process:
        said = read_until(process, "closed")
        assert process.wait(20) == 0
        assert not alive(mentioning(tmp_path))
    failed = next(line for line in said if line.startswith("failed"))
    assert "broken ended 2 times while starting" in failed
    assert "TOCSIN_X: no such thing" in failed
    assert str(tmp_path / "log" / "broken.log") in failed


def test_a_second_up_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        read_until(process, "serving")
        second = subprocess.run(
            [sys.executable, "-m", "tests.integration.standins.up", str(tmp_path)],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert second.returncode == 1
        assert f"{tmp_path} is in use by `tocsin up` (pid {process.pid})" in second.stderr
        assert alive([psutil.Process(process.pid)])
