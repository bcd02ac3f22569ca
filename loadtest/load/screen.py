"""What somebody sees who waits for a load: one line that moves on a terminal, else one in 5 s."""

import time
from collections import deque
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.status import Status

from loadtest.load.progress import Progress

_EVERY: Final = 5.0
_OVER: Final = 6
"""Seconds a rate is of."""


class Screen:
    """A context manager: the moving line ends with it."""

    def __init__(self, console: Console, seconds: float) -> None:
        self._console, self._seconds = console, seconds
        self._status = Status("starting Locust …", console=console) if console.is_terminal else None
        self._began = 0.0
        self._next, self._last = 0.0, ""
        self._seen: deque[tuple[float, Progress]] = deque(maxlen=_OVER)

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status:
            self._status.stop()

    def say(self, line: str) -> None:
        """Something happened."""
        self._console.print(line, highlight=False, soft_wrap=True)

    def show(self, progress: Progress, backlog: int | None) -> None:
        """About once a second while calls are made."""
        now = time.monotonic()
        self._began = self._began or now
        self._seen.append((now, progress))
        self._put(now, self._line(now, progress, backlog))

    def waiting(self, backlog: int | None) -> None:
        """While it drains."""
        left = "" if backlog is None else f": {backlog:,} deliveries to go"
        self._put(time.monotonic(), f"waiting until nothing is in flight{left}")

    def ended(self, progress: Progress, broken: str) -> None:
        """The load is over."""
        self.say(
            f"{'load broken off: ' + broken if broken else 'the load is over'}: "
            f"{progress.intended:,} calls meant, {progress.begun:,} begun, "
            f"{progress.accepted:,} accepted, {progress.refused:,} refused, "
            f"{progress.unknown:,} unanswered; {progress.notifications:,} notifications"
        )

    def _put(self, now: float, line: str) -> None:
        if self._status:
            self._status.update(line)
        elif now >= self._next and line != self._last:
            self._next, self._last = now + _EVERY, line
            self.say(line)

    def _line(self, now: float, progress: Progress, backlog: int | None) -> str:
        at, before = self._seen[0]
        span = max(now - at, 1e-9) if len(self._seen) > 1 else float("inf")
        calls = (progress.intended - before.intended) / span
        told = (progress.notifications - before.notifications) / span
        left = "?" if backlog is None else f"{backlog:,}"
        return (
            f"{min(now - self._began, self._seconds):4.0f} of {self._seconds:g} s · "
            f"{calls:,.0f} calls/s meant · {told:,.0f} notifications/s · "
            f"{progress.accepted:,} accepted, {progress.refused:,} refused, "
            f"{progress.unknown:,} unanswered · late {1000 * progress.lag:.0f} ms (p99) · "
            f"backlog {left}"
        )
