"""What the processes of a system use, by part: CPU, memory, disk; their own accounting."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import psutil

from loadtest.processes import part_of

_ACTORS: Final = (
    ("sender-push", "push sender"),
    ("sender-sms", "sms sender"),
    ("sender-email", "email sender"),
    ("shard-", "shard"),
    ("otp-lane", "otp lane"),
)
ACTORS: Final = tuple(part for _, part in _ACTORS)
"""Parts that `Running.cpu` has together as `actors`."""


class Usage(NamedTuple):
    """Of all processes of a part. `read` and `written` are bytes that came from and went to disk
    (not the page cache), so far; CPU is seconds so far."""

    processes: int = 0
    cpu: float = 0
    rss: int = 0
    read: int = 0
    written: int = 0

    def plus(self, other: "Usage") -> "Usage":
        """Both together."""
        return Usage(
            self.processes + other.processes,
            self.cpu + other.cpu,
            self.rss + other.rss,
            self.read + other.read,
            self.written + other.written,
        )


def usage(root: int, actors: Mapping[int, str] | None = None) -> dict[str, Usage]:
    """Of everything below process `root`, by part; an actor whose pid has a name in `actors` by
    what it is, the others as `actors`. A process that ends meanwhile is left out."""
    found: dict[str, Usage] = {}
    for process in psutil.Process(root).children(recursive=True):
        try:
            part = part_of(process.cmdline(), process.name())
            if part == "actors":
                part = _actor((actors or {}).get(process.pid, ""))
            found[part] = found.get(part, Usage()).plus(_of(process))
        except psutil.Error:
            continue
    return found


def _of(process: psutil.Process) -> Usage:
    times, memory = process.cpu_times(), process.memory_info()
    disk = process.io_counters()
    return Usage(1, times.user + times.system, memory.rss, disk.read_bytes, disk.write_bytes)


def _actor(name: str) -> str:
    return next((part for start, part in _ACTORS if name.startswith(start)), "actors")
