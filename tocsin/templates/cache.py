"""Versions in memory: the last used ones, up to a bound."""

from collections import OrderedDict
from typing import Final

from tocsin.templates.version import Chosen, Version

MOST_CHARACTERS: Final = 8_000_000
"""Of sources; compiled they take about ten times as much. Thousands of ordinary templates."""


class Cache:
    """A version never changes once made, so nothing here is ever out of date."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._most, self._size = most, 0
        self._versions: OrderedDict[Chosen, Version] = OrderedDict()

    def get(self, chosen: Chosen) -> Version | None:
        """The version, and it is the last one used now."""
        if (found := self._versions.get(chosen)) is not None:
            self._versions.move_to_end(chosen)
        return found

    def __contains__(self, chosen: Chosen) -> bool:
        return chosen in self._versions

    def put(self, version: Version) -> None:
        """Keep it; those not used for longest go. One that is too large alone is kept all the
        same, or its messages could never be sent."""
        if version.chosen in self._versions:
            return
        self._versions[version.chosen] = version
        self._size += version.size
        while self._size > self._most and len(self._versions) > 1:
            _, gone = self._versions.popitem(last=False)
            self._size -= gone.size
