"""File time against the wall's: when an event is due."""

from datetime import datetime


class Pace:
    """`speed` times real time; 0 is as fast as possible. The first event asked about is due now."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._first: tuple[datetime, float] | None = None

    def due_in(self, at: datetime, now: float) -> float:
        """Seconds from `now` (monotonic) until file time `at`; 0 when it is due or overdue."""
        if not self._speed:
            return 0
        start, began = self._first = self._first or (at, now)
        return max(0.0, began + (at - start).total_seconds() / self._speed - now)
