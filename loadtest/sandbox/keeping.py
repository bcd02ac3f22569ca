"""Files that are made once and kept: written whole or not at all, readable by their owner only."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeVar

from tocsin.errors import ConfigError

T = TypeVar("T")


def keep(path: Path, content: bytes) -> None:
    """Write `path` (mode 0600) so that a kill at any point leaves the old file or the new one."""
    fresh = path.with_name(path.name + ".tmp")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read(path: Path, parse: Callable[[bytes], T]) -> T:
    """The parsed file. Raises `ConfigError` saying which file is wrong and what to do."""
    try:
        return parse(path.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{path} cannot be used ({error}); delete the folder {path.parent} to have it made anew"
        ) from None


def lock(path: Path) -> IO[bytes]:
    """Hold the file for this process alone until it ends, however it ends. Raises `ConfigError`."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise ConfigError(f"{path.parent} is in use by another sandbox") from None
    return file
