"""JSON lines of a run, one at a time; what a kill cut is skipped and counted."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")
Skipped = Counter[str]
"""File name → lines that could not be read."""


def read_lines(path: Path, kind: type[T], skipped: Skipped) -> Iterator[T]:
    """Every readable line; none when there is no such file."""
    decode = msgspec.json.Decoder(kind).decode
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            try:
                yield decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                skipped[path.name] += 1
