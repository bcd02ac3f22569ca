"""A store, a broker and one worker of their own, on free ports, for a bench of one part alone."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tocsin.engines import broker, valkey
from tocsin.errors import EngineUnavailable
from tocsin.process import ready_file
from tocsin.settings import Settings

_START_SECONDS = 60


class Engines:
    """A context manager; ends on exit what it started. Without `log` there is no broker."""

    def __init__(self, data_dir: Path, log: bool = True) -> None:
        self._data_dir, self._log, self._stack = data_dir, log, ExitStack()
        self._pids: dict[str, int] = {}
        self.settings = Settings(data_dir=data_dir)

    def __enter__(self) -> "Engines":
        store, log = free_port(), free_port()
        place = self._data_dir / "valkey"
        place.mkdir(parents=True)
        self._start("valkey", valkey.command(store, place))
        if self._log:
            self._start("broker", broker.command(log))
            self._until("broker", lambda: broker.answers(log))
        self._until("valkey", lambda: valkey.answers(store))
        found = {
            "redis_url": f"redis://127.0.0.1:{store}/0",
            "kafka_url": f"kafka://127.0.0.1:{log}",
            "data_dir": self._data_dir,
        }
        self.settings = Settings.model_validate(found)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def pid(self, name: str) -> int:
        """The process id of what was started by this name."""
        return self._pids[name]

    def worker(self, module: str, name: str, more: Mapping[str, str] | None = None) -> int:
        """Start `python -m module`, with `more` in its environment, and return its pid once it
        said, as `name`, that it is ready."""
        environment = os.environ | {
            "TOCSIN_REDIS_URL": self.settings.redis_url.get_secret_value(),
            "TOCSIN_KAFKA_URL": self.settings.kafka_url,
            "TOCSIN_DATA_DIR": str(self._data_dir),
            **(more or {}),
        }
        process = self._start(name, [sys.executable, "-m", module], environment)
        self._until(name, ready_file(self._data_dir, name).exists)
        return process.pid

    def _start(
        self, name: str, argv: Sequence[str], environment: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with (self._data_dir / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)
        self._stack.callback(_end, process)
        self._pids[name] = process.pid
        return process

    def _until(self, name: str, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + _START_SECONDS
        while not ready():
            if time.monotonic() > end:
                words = (self._data_dir / f"{name}.log").read_text(errors="replace").strip()
                raise EngineUnavailable(name, str(self._data_dir), f"it said: {words[-500:]}")
            time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
