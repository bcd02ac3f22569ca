"""A Ray node with the actors and their supervisor, as processes, and the sandbox's books."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.conftest import free_port, wait_until
from tocsin.engines import ray as engine
from tocsin.process import ready_file


class Node:
    """What runs, and what it says of itself."""

    def __init__(self, data_dir: Path, env: dict[str, str]) -> None:
        self.data_dir, self.env = data_dir, env
        self.processes: list[subprocess.Popen[bytes]] = []
        self.supervisor: subprocess.Popen[bytes] | None = None

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


@contextmanager
def running(data_dir: Path, settings: dict[str, str]) -> Iterator[Node]:
    """A node whose actors all serve; `settings` are TOCSIN_ names."""
    port = free_port()
    env = os.environ | engine.environment(data_dir) | {
        "TOCSIN_DATA_DIR": str(data_dir),
        "TOCSIN_RAY_ADDRESS": f"127.0.0.1:{port}",
        "TOCSIN_WS_PORT": str(free_port()),
        "TOCSIN_JWT_SECRET": "test-jwt-secret-0123456789abcdef0123456789",
        "TOCSIN_OTP_SECRET": "test-pepper-0123456789abcdef0123456789",
    } | settings  # fmt: skip
    node = Node(data_dir, env)
    try:
        node.start(*engine.command(port, data_dir), stdout=subprocess.DEVNULL)
        node.supervisor = node.start(sys.executable, "-m", "tests.integration.hasty_supervisor")
        wait_until(ready_file(data_dir, "actors").exists, 240)
        yield node
    finally:
        for process in reversed(node.processes):
            process.terminate()
            process.wait(60)
