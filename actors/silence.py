"""Actors that take questions and do not answer: pure."""

from collections.abc import Iterable
from typing import Final

ROUNDS: Final = 3
"""In a row, each as long as an answer is waited for: no work of ours holds a loop so long."""


class Silence:
    """Counts, for each actor, the rounds in a row in which it did not answer."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def heed(self, mute: Iterable[str]) -> list[str]:
        """Of those that were asked and did not answer in this round, who has been silent for too
        long; their count begins anew, as they will."""
        self._counts = {name: self._counts.get(name, 0) + 1 for name in mute}
        stuck = [name for name, count in self._counts.items() if count >= ROUNDS]
        for name in stuck:
            del self._counts[name]
        return stuck
