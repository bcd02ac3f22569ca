"""How many frames a socket may send."""

from typing import Final

PER_SECOND: Final = 20.0
BURST: Final = 40.0


class FrameBudget:
    """A token bucket of one socket. Times are seconds of any one clock that does not go back."""

    __slots__ = ("_at", "_tokens")

    def __init__(self, now: float) -> None:
        self._tokens, self._at = BURST, now

    def take(self, now: float) -> bool:
        """Whether one more frame is within the budget; a refused one costs nothing."""
        self._tokens = min(BURST, self._tokens + (now - self._at) * PER_SECOND)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
