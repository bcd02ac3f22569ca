"""The data directory: one process opens it, and one that cannot be opened is named in one line."""

import contextlib
import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

import chdb

from tocsin.errors import EngineUnavailable

_LOCK: Final = "tocsin.lock"
_BROKEN: Final = "SELECT count() FROM system.detached_parts WHERE reason LIKE 'broken%'"
_STDERR: Final = 2


class Directory:
    """An opened directory. Holds its lock and chDB's first connection until `close`."""

    def __init__(self, path: Path) -> None:
        """Raises `EngineUnavailable` naming the directory and what to do."""
        self.path = path.resolve()
        self._lock = _locked(self.path)
        try:
            self._first = _opened(self.path)
        except EngineUnavailable:
            self._lock.close()
            raise

    def connection(self) -> Any:
        """A connection of its own: USE and SET stay with it. About 150 µs; close it."""
        return chdb.connect(str(self.path))

    def ask(self, sql: str) -> str:
        """One value, as text."""
        return str(self._first.query(sql, "TabSeparatedRaw").bytes().decode().strip())

    def broken_parts(self) -> int:
        """Parts ClickHouse could not read and has set aside in `detached`."""
        return int(self.ask(_BROKEN))

    def close(self) -> None:
        """Everything acknowledged is on disk; let another process in."""
        self._first.close()
        self._lock.close()


def _locked(path: Path) -> TextIO:
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / _LOCK).open("a")
    except OSError as error:
        raise _unusable(path, f"{error.strerror}, give it a directory it may write to") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise _unusable(path, "another process has it open, stop that one first") from None
    return lock


def _opened(path: Path) -> Any:
    with _stderr() as said:
        try:
            return chdb.connect(str(path))
        except RuntimeError:
            reason = (said() or "no reason given").splitlines()[0].rstrip(".")
    step = f"its files are damaged ({reason}); restore a copy, or move it away to start empty"
    raise _unusable(path, step)


def _unusable(path: Path, step: str) -> EngineUnavailable:
    return EngineUnavailable("ClickHouse", f"the data directory {path}", step)


@contextlib.contextmanager
def _stderr() -> Iterator[Callable[[], str]]:
    """What chDB itself writes to file descriptor 2 meanwhile: the reason is only there."""
    sys.stderr.flush()
    kept = os.dup(_STDERR)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), _STDERR)

        def said() -> str:
            caught.seek(0)
            return caught.read().decode("utf-8", "replace").strip()

        try:
            yield said
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
