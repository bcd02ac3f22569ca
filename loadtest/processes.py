"""A system's processes, seen from outside: which part each is, and what the parts use."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import psutil

_PARTS: Final = (
    ("streams.otp_worker", "otp worker"),
    ("streams.fan_out_worker", "fan-out"),
    ("streams.worker", "streams"),
    ("analytics.writer", "writer"),
    ("analytics.engine", "clickhouse"),
    ("loadtest.sandbox", "sandbox"),
    ("api.serve", "api"),
    ("actors.supervise", "actors' supervisor"),
    ("valkey-server", "valkey"),
    ("tansu", "broker"),
    ("supervisord", "supervisor"),
    ("tocsin.cli.", "supervisor"),
    ("tocsin.engines.keep_broker", "supervisor"),
)
PARTS: Final = ("actors", "ray", *dict.fromkeys(part for _, part in _PARTS), "other")
_LOOK_EVERY: Final = 5
"""Looking for new processes reads all of /proc; so does every fifth reading, and one that misses
somebody."""


def part_of(argv: Sequence[str], name: str) -> str:
    """The part of the system a process is, by its command line or else its name."""
    line = " ".join(argv) or name
    if line.startswith("ray::"):
        return "actors"
    if "ray" in line and ("gcs_server" in line or "raylet" in line or "/ray/" in line):
        return "ray"
    return next((part for word, part in _PARTS if word in line), "other")


class Usage(NamedTuple):
    """`cpu` seconds used so far, of processes that are gone too; `rss` bytes now. By part."""

    cpu: dict[str, float]
    rss: dict[str, int]


class _Known:
    """A process that is being watched. A worker of Ray's is an actor from some moment on, so the
    part is asked for until it is known to stay."""

    def __init__(self, process: psutil.Process) -> None:
        self.process, self.part, self.cpu = process, "ray", 0.0

    def read(self) -> tuple[float, int]:
        with self.process.oneshot():
            if self.part in ("ray", "other"):
                self.part = part_of(self.process.cmdline(), self.process.name())
            times = self.process.cpu_times()
            used = max(0.0, times.user + times.system - self.cpu)
            self.cpu += used
            return used, self.process.memory_info().rss


class Processes:
    """All processes below `root`. What it says of CPU never goes down, whoever dies."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._known: dict[int, _Known] = {}
        self._cpu: dict[str, float] = {}
        self._readings = 0

    def read(self) -> Usage:
        """One reading. Raises `psutil.Error` when `root` itself is gone."""
        if self._readings % _LOOK_EVERY == 0:
            self._look()
        self._readings += 1
        rss: dict[str, int] = {}
        for pid, known in list(self._known.items()):
            try:
                used, held = known.read()
            except psutil.Error:
                del self._known[pid]
                self._readings = 0
                continue
            self._cpu[known.part] = self._cpu.get(known.part, 0.0) + used
            rss[known.part] = rss.get(known.part, 0) + held
        return Usage(dict(self._cpu), rss)

    def _look(self) -> None:
        """Two processes with one pid are two: psutil compares the time of their birth."""
        for process in psutil.Process(self._root).children(recursive=True):
            known = self._known.get(process.pid)
            if known is None or known.process != process:
                self._known[process.pid] = _Known(process)
