"""The sandbox as a process: it starts where it was, says what is wrong, and ends cleanly."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtest.sandbox.listeners import port_of, reserve
from tests.integration.conftest import wait_until
from tocsin.errors import ConfigError
from tocsin.process import ready_file

pytestmark = pytest.mark.integration


def _start(data_dir: Path, *more: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "loadtest.sandbox", "--data-dir", str(data_dir), *more]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@contextmanager
def _running(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """A sandbox that serves, and its readiness facts."""
    path = ready_file(data_dir, "sandbox")
    path.unlink(missing_ok=True)
    process = _start(data_dir)
    try:
        wait_until(path.exists)
        yield process, json.loads(path.read_text())
    finally:
        process.kill()
        process.communicate()


def _get(port: int, path: str, seconds: float = 10) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds) as answer:
        return bytes(answer.read())


def test_killed_and_started_again_it_has_the_same_addresses_and_keys(tmp_path: Path) -> None:
    env = tmp_path / "sandbox" / "env.json"
    with _running(tmp_path) as (process, facts):
        before, ports = env.read_text(), facts
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    with _running(tmp_path) as (_, facts):
        assert env.read_text() == before
        assert {k: facts[k] for k in ("tls", "http", "smtp")} == {
            k: ports[k] for k in ("tls", "http", "smtp")
        }
        assert json.loads(_get(facts["http"], "/healthz")) == {"status": "ok"}


def test_sigterm_answers_who_waits_and_exits_with_zero(tmp_path: Path) -> None:
    with _running(tmp_path) as (process, facts):
        request = (
            f"import urllib.request as r;print(r.urlopen('http://127.0.0.1:{facts['http']}"
            "/sandbox/phones/+12025550123?wait=30').status)"
        )
        waiting = subprocess.Popen(
            [sys.executable, "-c", request], stdout=subprocess.PIPE, text=True
        )
        wait_until(lambda: _connected(process.pid, facts["http"]))
        process.terminate()
        assert process.wait(15) == 0
        assert waiting.communicate(timeout=15)[0].strip() == "200"


def _connected(pid: int, port: int) -> bool:
    """Whether a client's connection to `port` is established."""
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return any(f.split()[1].endswith(f":{port:04X}") and f.split()[3] == "01" for f in lines)


def test_a_second_sandbox_on_the_same_data_is_refused_in_one_line(tmp_path: Path) -> None:
    with _running(tmp_path):
        second = _start(tmp_path)
        output = second.communicate(timeout=20)[0].strip()
    assert (second.returncode, len(output.splitlines())) == (2, 1)
    assert "in use by another sandbox" in output


def test_a_busy_port_stops_the_start_in_one_line(tmp_path: Path) -> None:
    with reserve("--smtp-port", 0) as held:
        held.listen()
        process = _start(tmp_path, "--smtp-port", str(port_of(held)))
        output = process.communicate(timeout=20)[0].strip()
    assert process.returncode == 2
    assert output == f"tocsin sandbox: --smtp-port {port_of_text(output)} cannot be used: " + (
        "something listens there"
    )


def port_of_text(line: str) -> int:
    """The number the line names."""
    return int(next(word for word in line.split() if word.isdecimal()))


def test_last_times_port_comes_back_unless_it_is_taken() -> None:
    with reserve("--tls-port", 0) as held:
        held.listen()
        port = port_of(held)
        with pytest.raises(ConfigError, match=f"--tls-port {port} cannot be used"):
            reserve("--tls-port", port)
        with reserve("--tls-port", 0, last=port) as other:
            assert port_of(other) != port
    with reserve("--tls-port", 0, last=port) as again:
        assert port_of(again) == port
