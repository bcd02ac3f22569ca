"""What is accepted and not yet in Kafka, in files of this machine: written before anybody is told.

A file outlives its process, however that dies, and whoever starts next in the same directory takes
it up. It need not outlive the machine: nothing here waits for a disk.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LARGE: Final = 1 << 20
"""Bytes of a file after which the next line begins another, so that the old one can go."""

_ENDING: Final = ".lines"


class Segment:
    """A file of one owner, who holds its lock; `waiting` of its lines are wanted still."""

    def __init__(self, path: Path) -> None:
        fresh = path.with_suffix(".new")
        self.path, self.size, self.waiting = path, 0, 0
        self._file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        # found under its name, it is locked
        fcntl.flock(self._file, fcntl.LOCK_EX)
        fresh.rename(path)

    def write(self, line: bytes) -> None:
        """Append. Raises `OSError`; then nothing of it is there."""
        if os.write(self._file, line) != len(line):
            os.ftruncate(self._file, self.size)
            raise OSError(f"{self.path} takes no more")
        self.size += len(line)
        self.waiting += 1

    def empty(self) -> None:
        """Nothing that was written is wanted any more."""
        os.ftruncate(self._file, 0)
        self.size = 0

    def close(self) -> None:
        """What is waited for stays; a file without any goes."""
        if not self.waiting:
            self.path.unlink(missing_ok=True)
        os.close(self._file)


class Journal:
    """Lines that are wanted until they are `done`. For one thread of one process; several
    processes may share the directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._current: Segment | None = None

    def write(self, line: bytes) -> Segment:
        """Keep a line (without its end); `done` takes what this returns. Raises `OSError`."""
        if self._current is None or self._current.size >= LARGE:
            self._directory.mkdir(parents=True, exist_ok=True)
            name = f"{time.time_ns():020}-{os.getpid()}{_ENDING}"
            self._current = Segment(self._directory / name)
        self._current.write(line + b"\n")
        return self._current

    def done(self, segment: Segment) -> None:
        """One of its lines is wanted no more: with the last of them, it is empty."""
        segment.waiting -= 1
        if segment.waiting:
            return
        if segment is self._current:
            segment.empty()
        else:
            segment.close()

    def close(self) -> None:
        """Leave what is waited for to whoever starts next."""
        if self._current is not None:
            self._current.close()
            self._current = None

    def left(self) -> Iterator[tuple[bytes, Segment]]:
        """The lines of owners who are gone, each now ours and to be `done`. A last one that was cut
        off is left out: nobody was told of it."""
        for path in sorted(self._directory.glob(f"*{_ENDING}")):
            yield from self._taken_up(path)

    def _taken_up(self, path: Path) -> Iterator[tuple[bytes, Segment]]:
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError:  # somebody else was first
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lines = path.read_bytes().split(b"\n")[:-1]
            # ours are written before theirs go: killed in between, there are two of each
            ours = [(line, self.write(line)) for line in lines]
            path.unlink()
        except OSError:  # its owner lives, somebody was first, or the disk is full: the next start
            return
        finally:
            os.close(file)
        yield from ours
