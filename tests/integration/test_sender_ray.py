"""Real Ray, the real sandbox: a sender killed in mid-batch loses nothing and repeats only what may
have been lost."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from tests.integration.conftest import free_port, wait_until
from tests.integration.sending_program import USERS
from tests.unit.actors.makers import profile
from tocsin.engines import ray as engine
from tocsin.process import ready_file
from tocsin.records import Device, State
from tocsin.store import Profiles, SendResult

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
BATCHES, SIZE = 12, 100


class Node:
    """A Ray node, the supervisor of the actors, and the sandbox's books."""

    def __init__(self, data_dir: Path, env: dict[str, str]) -> None:
        self.data_dir, self.env = data_dir, env
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(argv, env=self.env, **options)
        self.processes.append(process)
        return process

    def facts(self) -> dict[str, Any]:
        return dict(json.loads(ready_file(self.data_dir, "actors").read_text()))

    def sandbox(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.env["TOCSIN_SANDBOX_URL"] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def accepted(self) -> int:
        return int(self.sandbox("GET", "/sandbox/journal/summary")["accepted"].get("apns", 0))


@pytest.fixture
def node(tmp_path: Path, redis_url: str, sandbox_env: dict[str, str]) -> Iterator[Node]:
    port = free_port()
    env = os.environ | sandbox_env | engine.environment(tmp_path) | {
        "TOCSIN_DATA_DIR": str(tmp_path),
        "TOCSIN_REDIS_URL": redis_url,
        "TOCSIN_RAY_ADDRESS": f"127.0.0.1:{port}",
        "TOCSIN_WS_PORT": str(free_port()),
        "TOCSIN_JWT_SECRET": "test-jwt-secret-0123456789abcdef0123456789",
        "TOCSIN_OTP_SECRET": "test-pepper-0123456789abcdef0123456789",
    }  # fmt: skip
    made = Node(tmp_path, env)
    try:
        made.start(*engine.command(port, tmp_path), stdout=subprocess.DEVNULL)
        made.start(sys.executable, "-m", "actors.supervise")
        wait_until(ready_file(tmp_path, "actors").exists, 240)
        yield made
        made.sandbox("DELETE", "/sandbox/faults")
    finally:
        for process in reversed(made.processes):
            process.terminate()
            process.wait(60)


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except OSError:
        return True


async def test_a_sender_killed_in_mid_batch(node: Node, redis: Redis) -> None:
    for number in range(USERS):
        device = Device("ios", f"{number:064x}")
        await Profiles(redis).put(profile(f"u{number}", devices={"phone": device}))
    node.sandbox("DELETE", "/sandbox/journal")
    node.sandbox("PUT", "/sandbox/faults", {"provider": "apns", "latency_ms": 150})
    program = node.start(
        sys.executable, "-m", "tests.integration.sending_program", str(BATCHES), str(SIZE),
        stdout=subprocess.PIPE,
    )  # fmt: skip
    wait_until(lambda: node.accepted() > SIZE, 120)
    victim = node.facts()["pids"]["sender-push-0"]
    os.kill(victim, signal.SIGKILL)
    output, _ = program.communicate(timeout=240)
    assert program.returncode == 0
    results = msgspec.json.decode(output, type=list[SendResult])

    assert len(results) == len({r.delivery_id for r in results}) == BATCHES * SIZE
    assert {r.state for r in results} <= {State.DELIVERED, State.FAILED}
    ambiguous = {r.delivery_id for r in results if r.ambiguous}
    assert ambiguous, "the kill came between batches"
    seen = _receipts(node)
    assert {name for name, times in seen.items() if times > 1} <= ambiguous
    for result in results:
        promotional = int(result.delivery_id.partition(":")[0].rpartition("-")[2]) % 2 == 1
        if result.state is State.DELIVERED:
            assert seen[result.delivery_id] >= 1
        else:
            assert (promotional, result.reason) == (True, "ambiguous")
        assert seen[result.delivery_id] <= (1 if promotional else 2)
    wait_until(lambda: node.facts()["pids"]["sender-push-0"] != victim, 60)
    _ends_cleanly(node)


def _receipts(node: Node) -> Counter[str]:
    """How often each delivery arrived, by the sandbox's own books."""
    seen: Counter[str] = Counter()
    since = 0
    while page := node.sandbox("GET", f"/sandbox/journal?since={since}&limit=1000")["receipts"]:
        seen.update(receipt["delivery_id"] for receipt in page)
        since = page[-1]["sequence"]
    return seen


def _ends_cleanly(node: Node) -> None:
    """SIGTERM to the supervisor takes every actor with it."""
    pids = node.facts()["pids"]
    supervisor = node.processes[1]
    supervisor.terminate()
    assert supervisor.wait(60) == 0
    for pid in pids.values():
        wait_until(lambda pid=pid: _gone(pid), 20)  # type: ignore[misc]
