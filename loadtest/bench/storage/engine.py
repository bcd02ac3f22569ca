"""ClickHouse as a process of its own over an empty directory, for the length of a bench."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import psutil

from loadtest.bench.engines import free_port
from tocsin.errors import EngineUnavailable
from tocsin.process import ready_file
from tocsin.settings import Settings

_START_SECONDS: Final = 60


class Engine:
    """A context manager; ends on exit what it started."""

    def __init__(self, directory: Path) -> None:
        port = free_port()
        self._directory, self._port, self._stack = directory, port, ExitStack()
        url = f"clickhouse://tocsin:bench@127.0.0.1:{port}/tocsin"
        self.settings = Settings.model_validate({"clickhouse_url": url, "data_dir": directory})

    def __enter__(self) -> "Engine":
        argv = [sys.executable, "-m", "analytics.engine", "--port", str(self._port)]
        argv += ["--path", str(self._directory / "clickhouse")]
        environment = os.environ | {
            "TOCSIN_CLICKHOUSE_URL": self.settings.clickhouse_url.get_secret_value(),
            "TOCSIN_DATA_DIR": str(self._directory),
        }
        log = self._stack.enter_context((self._directory / "engine.log").open("wb"))
        process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        self._watched = psutil.Process(process.pid)
        ready, end = ready_file(self._directory, "clickhouse"), time.monotonic() + _START_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > end:
                self._stack.close()
                raise EngineUnavailable("ClickHouse", str(self._directory), "see engine.log there")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def cpu(self) -> float:
        """CPU seconds it has used."""
        times = self._watched.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> int:
        """Bytes resident."""
        return int(self._watched.memory_info().rss)
