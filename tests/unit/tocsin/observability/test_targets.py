"""Where Prometheus finds a process: one file each, true while it is needed."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tocsin.observability.targets import (
    STALE_SECONDS,
    Target,
    announce,
    directory,
    forget_dead,
    here,
    known,
    withdraw,
)


def dead_pid() -> int:
    """Of a process that has just ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_the_file_is_what_file_sd_reads(tmp_path: Path) -> None:
    announce(tmp_path, Target("api", 7, "127.0.0.1:9100"))
    (group,) = json.loads((tmp_path / "run" / "metrics" / "api.json").read_text())
    assert group["targets"] == ["127.0.0.1:9100"]
    visible = {name: v for name, v in group["labels"].items() if not name.startswith("__")}
    assert visible == {"process": "api", "instance": f"{socket.gethostname()}/api"}, (
        "what a restart changes would make new series"
    )


def test_a_restarted_process_takes_its_name_over_and_keeps_it(tmp_path: Path) -> None:
    old, new = Target("api", 7, "127.0.0.1:9100"), Target("api", 8, "127.0.0.1:9101")
    announce(tmp_path, old)
    announce(tmp_path, new)
    withdraw(tmp_path, old)
    assert known(tmp_path) == [new]
    withdraw(tmp_path, new)
    assert known(tmp_path) == []


def test_withdrawing_what_is_not_there_changes_nothing(tmp_path: Path) -> None:
    withdraw(tmp_path, Target("api", 7, "127.0.0.1:9100"))
    assert known(tmp_path) == []


def test_the_dead_stay_targets_until_somebody_can_have_heard_of_it(tmp_path: Path) -> None:
    living, dead = Target("api", os.getpid(), "a:1"), Target("writer", dead_pid(), "a:2")
    announce(tmp_path, living)
    announce(tmp_path, dead)
    forget_dead(tmp_path)
    assert known(tmp_path) == [living, dead]
    forget_dead(tmp_path, now=time.time() + STALE_SECONDS + 1)
    assert known(tmp_path) == [living]


@pytest.mark.parametrize("text", ["", "{", "[]", '[{"targets":[]}]', "[1]", '{"a":1}'])
def test_a_file_that_is_no_target_is_nobody(tmp_path: Path, text: str) -> None:
    directory(tmp_path).mkdir(parents=True)
    (directory(tmp_path) / "x.json").write_text(text)
    assert known(tmp_path) == []
    forget_dead(tmp_path, now=time.time() + STALE_SECONDS + 1)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1:1"),
        ("0.0.0.0", "127.0.0.1:1"),
        ("::", "[::1]:1"),
        ("10.0.0.7", "10.0.0.7:1"),
        ("fd00::7", "[fd00::7]:1"),
        ("", "127.0.0.1:1"),
    ],
)
def test_the_address_is_one_that_can_be_asked(host: str, address: str) -> None:
    assert here("api", host, 1) == Target("api", os.getpid(), address)
