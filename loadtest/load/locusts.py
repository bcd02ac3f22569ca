"""Locust as processes of its own: it patches whatever shares a process with it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from loadtest.load.run_dir import Run, RunDir
from tocsin.errors import EngineUnavailable
from tocsin.process import die_with_parent

FILE: Final = Path(__file__).with_name("locustfile.py")
MASTER_PORT: Final = 5557
_LAST_WORDS: Final = 20.0


class Locusts:
    """One process, or a master and its workers; `web` is the port of Locust's page, 0: none.

    `elsewhere` workers are started by somebody else, and connect to this host's MASTER_PORT.
    """

    def __init__(
        self, run_dir: RunDir, run: Run, environment: Mapping[str, str], web: int = 0,
        elsewhere: bool = False,
    ) -> None:  # fmt: skip
        self._run_dir, self._run, self._web, self._elsewhere = run_dir, run, web, elsewhere
        self._environment = dict(environment) | _wanted(run_dir, run)
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """The workers find the master when it is there."""
        self._start("locust", self._head())
        if self._run.workers > 1 and not self._elsewhere:
            for number in range(self._run.workers):
                self._start(f"locust-{number}", ["--worker", "--master-host", "127.0.0.1"])

    def _head(self) -> list[str]:
        argv = ["--users", "1", "--spawn-rate", "1", "--quit-when-done", "--only-summary"]
        if self._run.workers > 1 or self._elsewhere:
            bind = "*" if self._elsewhere else "127.0.0.1"
            argv += ["--master", "--master-bind-host", bind]
            argv += ["--expect-workers", str(self._run.workers)]
        if self._web:
            page = ["--web-host", "127.0.0.1", "--web-port", str(self._web)]
            return [*argv, "--autostart", *page]
        return [*argv, "--headless"]

    def _start(self, name: str, arguments: Sequence[str]) -> None:
        argv = [sys.executable, "-m", "locust", "-f", str(FILE), "--loglevel", "WARNING"]
        with (self._run_dir.path / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*argv, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self._environment, start_new_session=True, preexec_fn=_end_with_parent,
            )  # fmt: skip
        self._processes.append(process)

    @property
    def over(self) -> bool:
        """Whether the head has ended. Raises `EngineUnavailable` with its last words if it failed;
        a worker that died leaves a run that is void, not an error."""
        code = self._processes[0].poll()
        if code:
            raise EngineUnavailable("Locust", str(self._run_dir.path / "locust.log"), self._said())
        return code == 0

    async def stop(self) -> None:
        """Ask every one to end, and wait until they have written what they know."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                await asyncio.to_thread(process.wait, _LAST_WORDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _said(self) -> str:
        text = (self._run_dir.path / "locust.log").read_text(errors="replace").strip()
        return "\n".join(["it said:", *text.splitlines()[-8:]])


def _end_with_parent() -> None:
    die_with_parent(signal.SIGTERM)


def _wanted(run_dir: RunDir, run: Run) -> dict[str, str]:
    """The options of the locustfile; a master tells its workers."""
    return {
        "LOAD_SHAPE": run.shape, "LOAD_SCALE": f"{run.scale!r}", "LOAD_SECONDS": f"{run.seconds!r}",
        "LOAD_SEED": str(run.seed), "LOAD_RUN": run.run, "LOAD_DIR": str(run_dir.path.absolute()),
        # its own packages print what is no business of the run's
        "PYTHONWARNINGS": "ignore", "PATH": os.environ.get("PATH", ""),
    }  # fmt: skip
