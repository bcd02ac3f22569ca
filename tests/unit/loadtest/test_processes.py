"""Which part of a system a process is."""

import os
import subprocess
import sys

import pytest

from loadtest.processes import PARTS, Processes, part_of


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("python -m streams.worker --name streams-1", "streams"),
        ("python -m streams.otp_worker", "otp worker"),
        ("python -m streams.fan_out_worker", "fan-out"),
        ("python -m api.serve", "api"),
        ("ray::Sender.send", "actors"),
        ("/x/site-packages/ray/core/src/ray/raylet/raylet --port 1", "ray"),
        ("python /x/site-packages/ray/dashboard/agent.py", "ray"),
        ("/x/valkey-server 127.0.0.1:6379", "valkey"),
        ("python -m tocsin.engines.keep_broker --port 9092", "supervisor"),
        ("sleep 5", "other"),
    ],
)
def test_a_process_is_known_by_its_command(line: str, part: str) -> None:
    assert part_of(line.split(), "name") == part
    assert part in PARTS


def test_a_process_without_a_command_is_known_by_its_name() -> None:
    assert part_of([], "ray::Sender") == "actors"


def test_cpu_of_who_is_gone_is_not_forgotten() -> None:
    burn = "sum(i * i for i in range(3_000_000))\nprint(flush=True)\ninput()"
    argv = [sys.executable, "-c", burn]
    below = Processes(os.getpid())
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        alive = below.read()
    gone = [below.read() for _ in range(2)][-1]
    assert alive.cpu["other"] > 0
    assert alive.rss["other"] > 0
    assert gone.cpu["other"] == alive.cpu["other"]
    assert "other" not in gone.rss
