"""Where each process's metrics are: one file a process, as Prometheus's file_sd reads them."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

PATTERN: Final = "run/metrics/*.json"
"""The files, seen from the data directory."""

STALE_SECONDS: Final = 600.0
"""How long a process that died stays a target: it is down, and somebody is to hear of it."""


@dataclass(frozen=True)
class Target:
    """A process and the `host:port` of its metrics."""

    process: str
    pid: int
    address: str


def directory(data_dir: Path) -> Path:
    """Of the files."""
    return data_dir / "run" / "metrics"


def announce(data_dir: Path, target: Target) -> None:
    """Write, or write over, the process's file. Raises `OSError`.

    A restarted process goes on with the series of its name, so that restarts can be counted: its
    instance is its name, not its port, and its process id is a meta label, which ends in no series.
    """
    path = _file(data_dir, target.process)
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = {
        "process": target.process,
        "instance": f"{socket.gethostname()}/{target.process}",
        "__meta_pid": str(target.pid),
    }
    fresh = path.with_suffix(f".{target.pid}.tmp")
    fresh.write_text(json.dumps([{"targets": [target.address], "labels": labels}]))
    fresh.replace(path)


def withdraw(data_dir: Path, target: Target) -> None:
    """Remove the process's file, unless another process of the name has written it meanwhile."""
    path = _file(data_dir, target.process)
    if (found := _read(path)) and found.pid == target.pid:
        path.unlink(missing_ok=True)


def known(data_dir: Path) -> list[Target]:
    """What is announced, by name."""
    files = sorted(directory(data_dir).glob("*.json"))
    return [target for path in files if (target := _read(path))]


def forget_dead(data_dir: Path, now: float | None = None) -> None:
    """Remove files of processes that are gone and did not come back within STALE_SECONDS."""
    now = time.time() if now is None else now
    for path, target in _living_and_dead(data_dir):
        if not psutil.pid_exists(target.pid):
            with suppress(OSError):
                if now - path.stat().st_mtime > STALE_SECONDS:
                    path.unlink()


def _living_and_dead(data_dir: Path) -> Iterator[tuple[Path, Target]]:
    for path in directory(data_dir).glob("*.json"):
        if target := _read(path):
            yield path, target


def _file(data_dir: Path, process: str) -> Path:
    return directory(data_dir) / f"{process}.json"


def _read(path: Path) -> Target | None:
    try:
        (group,) = json.loads(path.read_text())
        labels, (address,) = group["labels"], group["targets"]
        return Target(labels["process"], int(labels["__meta_pid"]), address)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def here(process: str, host: str, port: int) -> Target:
    """This very process, listening there; who listens everywhere is reached by loopback."""
    near = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return Target(process, os.getpid(), f"[{near}]:{port}" if ":" in near else f"{near}:{port}")
