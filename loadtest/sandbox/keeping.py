"""Files that are made once and kept: written whole or not at all, readable by their owner only."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

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
