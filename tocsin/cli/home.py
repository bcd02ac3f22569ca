"""The data directory: what lies where, who holds it, and the state other commands read."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil

from tocsin.errors import ConfigError
from tocsin.observability import targets

_SOCKET_MAX: Final = 100
"""Bytes of a Unix socket's path, a little under what the kernel takes (108)."""


class Home:
    """Paths below one data directory. Nothing is created before `open`."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.run, self.log = self.root / "run", self.root / "log"
        self.valkey = self.root / "valkey"
        self.state = self.run / "state.json"
        self.secrets = self.root / "secrets.json"
        self.config = self.run / "supervisord.conf"

    def open(self) -> int:
        """Create what is missing and take the lock; returns its descriptor, to be inherited by
        whoever must keep the directory. Raises `ConfigError` if another holds it."""
        try:
            for directory in (self.root, self.run, self.log, self.valkey):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(
                f"{self.root} cannot be the data directory ({error.strerror}): "
                "choose another with --data"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise ConfigError(self._held()) from None
        self._forget_last_run()
        return lock

    def _held(self) -> str:
        running = read_state(self)
        who = f"`tocsin up` (pid {running['pid']})" if running else "another `tocsin up`"
        return f"{self.root} is in use by {who}: stop it, or choose another with --data"

    def _forget_last_run(self) -> None:
        """What processes said then is not what they say now; their logs are kept one run longer."""
        metrics = targets.directory(self.root).glob("*.json")
        for old in (*self.run.glob("*.ready"), *self.run.glob("*.starts"), *metrics, self.state):
            old.unlink(missing_ok=True)
        previous = self.log / "previous"
        shutil.rmtree(previous, ignore_errors=True)
        previous.mkdir()
        for log in self.log.glob("*.*"):
            log.rename(previous / log.name)

    def socket(self) -> Path:
        """Where supervisord listens: in the directory, or where its path is short enough."""
        inside = self.run / "supervisor.sock"
        if len(os.fsencode(inside)) <= _SOCKET_MAX:
            return inside
        return Path(tempfile.mkdtemp(prefix="tocsin-")) / "supervisor.sock"

    def log_of(self, name: str) -> Path:
        """A process's output, standard error with it."""
        return self.log / f"{name}.log"


def write_private(path: Path, value: Mapping[str, Any]) -> None:
    """JSON that only the owner can read, there whole or not at all."""
    fresh = path.with_suffix(".tmp")
    with suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(value, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_state(home: Home) -> dict[str, Any] | None:
    """What the running `tocsin up` wrote, or None when none runs on this directory."""
    try:
        state: dict[str, Any] = json.loads(home.state.read_text())
    except (OSError, ValueError):
        return None
    return state if psutil.pid_exists(state.get("pid", -1)) else None
