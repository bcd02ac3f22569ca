"""The processes' logs: their last lines, and what is new in them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_TAIL_BYTES: Final = 64 * 1024
_LEVELS: Final = {"CRITICAL": "error", "ERROR": "error", "WARNING": "warning"}
_ALARMING: Final = re.compile(
    r"\b(?P<error>ERROR|CRITICAL|FATAL|Traceback|panicked)\b|\b(?P<warning>WARN(?:ING)?)\b"
)


class Line(NamedTuple):
    """One line of one process; `level` is error, warning or info."""

    name: str
    level: str
    text: str


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log, none when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]


def level(text: str) -> str:
    """How alarming a line is, whatever program wrote it."""
    match = _ALARMING.search(text)
    return str(match.lastgroup) if match else "info"


def read(name: str, text: str) -> Line:
    """A line of a process's log, also one in JSON (TOCSIN_LOG_FORMAT), as people read it."""
    if not text.startswith("{"):
        return Line(name, level(text), text)
    try:
        said = json.loads(text)
        shown = f"{said['level']} {said['logger']}: {said['message']}"
    except (ValueError, KeyError, TypeError):
        return Line(name, level(text), text)
    if trace := said.get("exception"):
        shown += f"\n{trace}"
    return Line(name, _LEVELS.get(said["level"], "info"), shown)


class Follower:
    """What was written to `*.log` in a directory since the last look. Survives rotation."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._at: dict[Path, tuple[int, int]] = {}
        for path in directory.glob("*.log"):
            self._at[path] = _place(path)

    def new(self) -> Iterator[Line]:
        """Complete new lines, per process in order."""
        for path in sorted(self._directory.glob("*.log")):
            if path.stem != "supervisord":
                for text in self._read(path):
                    yield read(path.stem, text)

    def _read(self, path: Path) -> list[str]:
        inode, size = _place(path)
        was, start = self._at.get(path, (inode, 0))
        if was != inode or size < start:
            start = 0
        if size == start:
            return []
        with path.open("rb") as file:
            file.seek(start)
            whole = file.read(size - start)
        # a line that is not finished yet waits for its end
        text = whole[: whole.rfind(b"\n") + 1]
        self._at[path] = (inode, start + len(text))
        return text.decode(errors="replace").splitlines()


def _place(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_size)


class Allowance:
    """Who may still be shown: `lines` in any `seconds` per process, so that nobody floods."""

    def __init__(self, lines: int, seconds: float) -> None:
        self._lines, self._seconds = lines, seconds
        self._since: dict[str, float] = {}
        self._shown: dict[str, int] = {}

    def take(self, name: str, now: float) -> int:
        """How many lines, this one included, the process has had of its allowance."""
        if now - self._since.get(name, float("-inf")) >= self._seconds:
            self._since[name], self._shown[name] = now, 0
        self._shown[name] += 1
        return self._shown[name]

    def left(self, taken: int) -> int:
        """Below zero: not to be shown; zero: the last one."""
        return self._lines - taken
