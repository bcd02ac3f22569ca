"""How many shards there are to be, and how fast one may be emptied: decisions without I/O."""

from collections.abc import Sequence
from typing import Final

from tocsin.settings import Settings

IDLE_SECONDS: Final = 60.0
"""For so long there must have been one shard too many."""

SHORTEST_DRAIN: Final = 3.0
LONGEST_DRAIN: Final = 60.0


class Scale:
    """One more when the shards are full, one less when they are half empty without it and stay so.

    The base is never touched: deliveries are counted out over it.
    """

    def __init__(self, settings: Settings) -> None:
        self._base, self._most = settings.shards, max(settings.shards, settings.shards_max)
        self._full = settings.shard_connections
        self._idle_since: float | None = None

    def look(self, loads: Sequence[int | None], now: float) -> int:
        """1, 0 or -1: make one, leave it, end one.

        `loads` are the sockets of every shard, None for one that does not answer: its people are
        on their way to the others, so it counts as empty and none is ended meanwhile. `now` is in
        seconds of any one clock that does not go back.
        """
        count, total = len(loads), sum(load or 0 for load in loads)
        spare = count > self._base and None not in loads and 2 * total <= (count - 1) * self._full
        if not spare:
            self._idle_since = None
            return 1 if count < self._most and total > count * self._full else 0
        if self._idle_since is None:
            self._idle_since = now
        if now - self._idle_since < IDLE_SECONDS:
            return 0
        self._idle_since = None
        return -1


def drain_seconds(sockets: int, others: int, accepts: float) -> float:
    """Over how long to close `sockets`, so that the `others` that take them, `accepts` a second
    each, are asked for half of what they can."""
    return min(LONGEST_DRAIN, max(SHORTEST_DRAIN, 2 * sockets / (max(1, others) * accepts)))
