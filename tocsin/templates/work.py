"""How much one rendering may cost. Whatever grows or repeats pays; who has nothing left fails.

A unit is about one node of a template evaluated once, or a hundred characters gone through.
"""

import threading
from typing import Final

from jinja2 import TemplateError

MOST_WORK: Final = 100_000
"""A few dozen milliseconds at the very worst."""

MOST_CHARACTERS: Final = 1_000_000
"""Of any value made on the way, and of the whole text. A record holds no more bytes, so a template
that says everything once always fits."""

_CHARACTERS_A_UNIT: Final = 100


class TooMuch(TemplateError):
    """More work, or a longer text, than one message may cost."""


class _Purse(threading.local):
    # a thread's own: rendering never waits in between, but the API also renders in threads
    left = MOST_WORK


_purse = _Purse()


def begin() -> None:
    """A new rendering in this thread."""
    _purse.left = MOST_WORK


def spend(units: int) -> None:
    """Raises `TooMuch` when the rendering has used up what it had."""
    _purse.left -= units
    if _purse.left < 0:
        raise TooMuch("too much work")


def pay(value: object) -> None:
    """`spend` what going through a text or a list of this length costs."""
    if isinstance(value, (str, list, tuple, dict)):
        spend(1 + len(value) // _CHARACTERS_A_UNIT)


def bounded(length: int) -> None:
    """Raises `TooMuch` for a text that would be too long; to be asked before it is made."""
    if length > MOST_CHARACTERS:
        raise TooMuch("too long")
