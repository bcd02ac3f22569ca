"""The system under test as processes: started by its own CLI, measured from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from xmlrpc.client import ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from loadtest.processes import part_of
from tocsin.errors import EngineUnavailable
from tocsin.process import die_with_parent

_START_SECONDS = 180


class Running:
    """`tocsin up` in a directory of its own. A context manager; ends every process on exit.

    `apart`: a Ctrl-C in this terminal is not for it, so that its last state can still be read. It
    ends with this process all the same.
    """

    def __init__(self, data_dir: Path, apart: bool = False) -> None:
        self._data_dir, self._apart = data_dir, apart
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = ""
        self.environment: dict[str, str] = {}

    def __enter__(self) -> "Running":
        self._data_dir.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "tocsin", "up", "--data", str(self._data_dir)]
        with (self._data_dir / "up.log").open("wb") as log:
            self._process = subprocess.Popen(
                argv, stdout=log, stderr=subprocess.STDOUT, start_new_session=self._apart,
                preexec_fn=_end_with_parent if self._apart else None,
            )  # fmt: skip
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(90)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _wait(self) -> None:
        assert self._process
        end = time.monotonic() + _START_SECONDS
        while not (state := self._state()):
            if self._process.poll() is not None or time.monotonic() > end:
                raise EngineUnavailable("tocsin up", str(self._data_dir), self._last_words())
            time.sleep(0.2)
        self.environment = dict(os.environ) | state["environment"]
        self._socket = state["socket"]

    def _last_words(self) -> str:
        lines = (self._data_dir / "up.log").read_text(errors="replace").strip().splitlines()
        return "\n".join(["it said:", *lines[-15:]])

    def _state(self) -> dict[str, Any] | None:
        """What `tocsin up` says of itself, once everything serves: the API starts last."""
        run = self._data_dir / "run"
        if not (run / "api.ready").exists() or not (run / "streams-1.ready").exists():
            return None
        state: dict[str, Any] = json.loads((run / "state.json").read_text())
        return state

    def control(self, verb: Literal["startProcess", "stopProcess"], name: str) -> None:
        """Ask the process manager; returns when it is so."""
        info = self._info(name)
        with self._supervisor() as supervisor:
            getattr(supervisor, verb)(f"{info['group']}:{name}", True)

    def pid(self, name: str) -> int:
        """The process id of a process or, from the start of the actors on, of an actor; 0 while
        there is none."""
        ready = self._data_dir / "run" / "actors.ready"
        actors = json.loads(ready.read_text())["pids"] if ready.exists() else {}
        return int(actors[name] if name in actors else self._info(name)["pid"])

    @property
    def root_pid(self) -> int:
        """The process whose descendants are the system."""
        assert self._process
        return self._process.pid

    def _info(self, name: str) -> dict[str, Any]:
        with self._supervisor() as supervisor:
            infos = supervisor.getAllProcessInfo()
        return next(info for info in infos if info["name"] == name)

    @contextmanager
    def _supervisor(self) -> Iterator[Any]:
        transport = SupervisorTransport(serverurl=f"unix://{self._socket}")
        try:
            yield ServerProxy("http://127.0.0.1", transport=transport).supervisor
        finally:
            transport.close()

    def ready(self, name: str, after: float, seconds: float = 60) -> None:
        """Wait until process `name` said it is ready later than `after` (unix seconds)."""
        path = self._data_dir / "run" / f"{name}.ready"
        end = time.monotonic() + seconds
        while not path.exists() or json.loads(path.read_text())["at"] < after:
            if time.monotonic() > end:
                raise EngineUnavailable(name, str(path), f"see log/{name}.log beside it")
            time.sleep(0.05)

    def cpu(self) -> dict[str, float]:
        """CPU seconds used so far, by part of the system (all processes below `tocsin up`)."""
        assert self._process
        found: dict[str, float] = {}
        for process in psutil.Process(self._process.pid).children(recursive=True):
            try:
                times, part = process.cpu_times(), part_of(process.cmdline(), process.name())
            except psutil.Error:
                continue
            found[part] = found.get(part, 0) + times.user + times.system
        return found


def _end_with_parent() -> None:
    die_with_parent(signal.SIGINT)
