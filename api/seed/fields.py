"""A body with the field names of whoever wrote it: `userId`, `user_id` and `UserID` are one.

Names are taken liberally, values are not: what a field holds is checked where the canonical body
is, and an error comes back with the name that the caller used.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tocsin.errors import Invalid

_HUMPS: Final = re.compile(r"_(\w)")


class Fields:
    """One object of a body. What is null counts as absent."""

    def __init__(self, given: Mapping[str, Any], place: str = "") -> None:
        """`place` is where the object lies in the body. Raises `Invalid` for a name that comes in
        two spellings with different values."""
        self._place = place
        self._found: dict[str, tuple[str, Any]] = {}
        self._taken: set[str] = set()
        self.names: dict[str, str] = {}
        """Canonical path → the caller's, of what was taken."""
        for name, value in given.items():
            before = self._found.setdefault(_folded(name), (name, value))
            if before[1] != value:
                raise Invalid(self.at(name), f"says something else than `{before[0]}`")

    def take(self, canonical: str, *names: str) -> Any:
        """The value under the first of these names that is there, else None."""
        for name in names:
            written, value = self._found.get(_folded(name), (name, None))
            self._taken.add(_folded(name))
            if value is not None:
                self.names[canonical] = self.at(written)
                return value
        return None

    def need(self, canonical: str, *names: str) -> Any:
        """`take`, or raises `Invalid` by the usual name, the first."""
        value = self.take(canonical, *names)
        if value is None:
            others = f" (or `{'`, `'.join(names[1:])}`)" if names[1:] else ""
            raise Invalid(self.at(names[0]), f"is needed{others}")
        return value

    def rest(self) -> Iterator[tuple[str, Any]]:
        """(name, value) of what nobody took, as written."""
        for folded, (name, value) in self._found.items():
            if folded not in self._taken and value is not None:
                yield name, value

    def at(self, name: str) -> str:
        """Where a name lies in the whole body."""
        return f"{self._place}.{name}" if self._place else name


def called(error: Invalid, names: Mapping[str, str]) -> Invalid:
    """The error with the caller's own name for its field."""
    there = [n for n in names if error.field == n or error.field.startswith((f"{n}.", f"{n}["))]
    if not there:
        return Invalid(_HUMPS.sub(lambda m: m[1].upper(), error.field), error.reason)
    longest = max(there, key=len)
    return Invalid(names[longest] + error.field[len(longest) :], error.reason)


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
