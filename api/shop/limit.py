"""How often something may be done in this process. Pure: the caller has the clock."""

from tocsin.errors import Refused


class Limit:
    """A token bucket: `burst` at once, then `per_second`."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._rate, self._burst = per_second, burst
        self._left, self._at = float(burst), 0.0

    def take(self, now: float) -> None:
        """`now` in seconds, never falling. Raises `Refused` ("too_many") with the time to wait."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            wait = (1 - self._left) / self._rate
            raise Refused("too_many", "many are shopping at this moment; try again soon", wait)
        self._left -= 1
