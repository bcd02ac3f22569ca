"""How many frames a socket may send, and how many new sockets a shard takes."""

from typing import Final

PER_SECOND: Final = 20.0
BURST: Final = 40.0


class Budget:
    """A token bucket. Times are seconds of any one clock that does not go back."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, now

    def take(self, now: float) -> bool:
        """Whether one more is within the budget; a refused one costs nothing."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class FrameBudget(Budget):
    """What one socket may send."""

    __slots__ = ()

    def __init__(self, now: float) -> None:
        super().__init__(PER_SECOND, BURST, now)


class AcceptBudget(Budget):
    """What one shard takes of new sockets: `rate` per second, and that many at once."""

    __slots__ = ()

    def __init__(self, rate: float, now: float) -> None:
        super().__init__(rate, max(1.0, rate), now)
