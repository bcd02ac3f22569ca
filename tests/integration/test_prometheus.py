"""A real Prometheus (Debian's package `prometheus`) over real processes, by the configuration that
`tocsin up` writes; its promtool over the rules."""

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.clickhouse import environment, start, stop
from tests.integration.conftest import free_port, wait_until
from tocsin.observability import prometheus
from tocsin.process import ready_file
from tocsin.settings import Settings

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
RULE_TESTS = Path(__file__).parent / "prometheus" / "alerts_test.yml"
SECONDS = 60

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not (PROMETHEUS and PROMTOOL), reason="no prometheus here: apt-get install prometheus"
    ),
]


def promtool(*arguments: object) -> str:
    """What it said; it must be content."""
    command = [str(PROMTOOL), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", prometheus.RULES)


def test_every_rule_fires_when_it_should_and_not_before() -> None:
    promtool("test", "rules", RULE_TESTS)
    named = set(re.findall(r"- alert: (\w+)", prometheus.RULES.read_text()))
    assert named
    assert set(re.findall(r"- name: (\w+)", RULE_TESTS.read_text())) == named


def test_the_configuration_is_one_wherever_the_data_is(tmp_path: Path) -> None:
    data = tmp_path / "a shop's data: #1"
    data.mkdir()
    assert "SUCCESS" in promtool("check", "config", prometheus.write(data))


@pytest.fixture
def processes(pipeline: Settings, redis_url: str) -> Iterator[dict[str, "subprocess.Popen[str]"]]:
    """The API, the writer and the sandbox, in one data directory."""
    running = {
        "writer": start("analytics.writer", pipeline),
        "sandbox": start("loadtest.sandbox", pipeline),
        "api": _api(pipeline, redis_url),
    }
    try:
        for name in running:
            wait_until(ready_file(pipeline.data_dir, name).exists, SECONDS)
        yield running
    finally:
        for process in running.values():
            stop(process, SECONDS)


def _api(settings: Settings, redis_url: str) -> "subprocess.Popen[str]":
    env = environment(settings) | {
        "TOCSIN_REDIS_URL": redis_url,
        "TOCSIN_OTP_SECRET": "test-pepper-0123456789abcdef",
        "TOCSIN_JWT_SECRET": "test-jwt-secret-0123456789abcdef0123456789",
        "TOCSIN_PORT": str(free_port()),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "api.serve"], env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


class Server:
    """A Prometheus, and what it knows."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str, **query: str) -> Any:
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return json.loads(answer.read())["data"]

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def value(self, query: str) -> dict[str, float]:
        """By process."""
        found = self.get("query", query=query)["result"]
        return {series["metric"].get("process", ""): float(series["value"][1]) for series in found}

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Prometheus by our configuration, only that it looks every second."""
    config, port = prometheus.write(tmp_path), free_port()
    hasty = config.read_text().replace("15s", "1s")
    assert hasty != config.read_text()
    config.write_text(hasty)
    process = subprocess.Popen(
        [
            str(PROMETHEUS), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}", "--log.level=error",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        made = Server(port)
        wait_until(made.answers, SECONDS)
        yield made
    finally:
        process.terminate()
        process.wait(SECONDS)


def test_every_process_is_scraped_and_one_that_dies_is_missed(
    processes: dict[str, "subprocess.Popen[str]"], server: Server
) -> None:
    everyone = dict.fromkeys(processes, 1.0)
    wait_until(lambda: server.value("up") == everyone, SECONDS)
    active = server.get("targets", state="active")["activeTargets"]
    assert {target["health"] for target in active} == {"up"}
    assert {target["labels"]["job"] for target in active} == {prometheus.JOB}
    pids = {
        target["labels"]["process"]: target["discoveredLabels"]["__meta_pid"] for target in active
    }
    assert pids == {name: str(process.pid) for name, process in processes.items()}
    memory = server.value("process_resident_memory_bytes")
    assert set(memory) == set(everyone)
    # the writer counts what is unfinished while it is scraped
    wait_until(lambda: bool(server.value("tocsin_unfinished_deliveries")), SECONDS)

    wait_until(lambda: all(r["health"] != "unknown" for r in server.rules()), SECONDS)
    for rule in server.rules():
        assert rule["health"] == "ok", rule["name"]
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["name"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["name"]

    processes["api"].send_signal(signal.SIGKILL)
    wait_until(lambda: server.value("up") == everyone | {"api": 0.0}, SECONDS)
