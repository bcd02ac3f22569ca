"""Whether a process still moves: what its liveness probe answers.

A part of a process is something that must not stand still while it has work: the event loop, a
consumer, the writer. Whoever is one says so whenever it moved; whoever asks gets those that did not
for longer than they may. No I/O here, and no clock but the one that is given.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

LOOP_SECONDS: Final = 60.0
"""For the event loop: whatever takes it that long is no work of ours."""

WORK_SECONDS: Final = 420.0
"""For what is done with records: no batch is held on purpose for longer than five minutes."""

_BEAT: Final = 1.0
_NOTE: Final = 20.0


class Part:
    """One of them. `moved` may be called from any thread, and before it becomes busy. `needs_log`:
    it cannot move while Kafka is away."""

    def __init__(
        self,
        name: str,
        patience: float,
        busy: Callable[[], bool],
        needs_log: bool,
        now: Callable[[], float],
    ) -> None:
        self.name, self.patience, self.needs_log = name, patience, needs_log
        self._busy, self._now = busy, now
        self._at = now()

    def moved(self) -> None:
        """It did something, or began, or tried in vain and will again."""
        self._at = self._now()

    def still(self) -> float:
        """Seconds without a move; 0 for who has nothing to do."""
        return self._now() - self._at if self._busy() else 0.0

    @property
    def late(self) -> bool:
        """Whether it stood still for longer than it may."""
        return self.still() > self.patience


class Progress:
    """The parts of a process. `now` is a clock in seconds that does not go back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._parts: dict[str, Part] = {}
        self.serving = False
        """Whether it said that it serves (`tocsin.process.ready`)."""

    def part(
        self,
        name: str,
        patience: float,
        busy: Callable[[], bool] = lambda: True,
        *,
        needs_log: bool = False,
    ) -> Part:
        """A new part, in the place of one of that name. It is taken to have moved just now."""
        made = Part(name, patience, busy, needs_log, self._now)
        self._parts[name] = made
        return made

    def forget(self, name: str) -> None:
        """What ended in order stands still by right."""
        self._parts.pop(name, None)

    def late(self) -> list[Part]:
        """The parts that stand still."""
        return [part for part in list(self._parts.values()) if part.late]


PROGRESS: Final = Progress()
"""This process's."""


def verdict(late: list[Part], log_answers: Callable[[], bool]) -> tuple[bool, str]:
    """Whether the process is alive, and what is the matter, line by line.

    What needs the log stands still by right while Kafka is away: a restart would bring nothing,
    and all consumers would have it at once. `log_answers` is asked only then. A loop that is
    blocked has no such excuse.
    """
    if not late:
        return True, "ok\n"
    lines = "".join(f"{part.name}: no progress for {part.still():.0f} s\n" for part in late)
    if all(part.needs_log for part in late) and not log_answers():
        return True, f"{lines}Kafka does not answer: waiting\n"
    return False, lines


async def beat(progress: Progress = PROGRESS) -> None:
    """Until cancelled, the event loop that runs this says that it moves."""
    loop = progress.part("event loop", LOOP_SECONDS)
    try:
        while True:
            loop.moved()
            await asyncio.sleep(_BEAT)
    finally:
        progress.forget(loop.name)


AT_WORK: Final[ContextVar[Part | None]] = ContextVar("AT_WORK", default=None)
"""Whose work the running task does."""


@contextmanager
def in_other_hands() -> Iterator[None]:
    """Within it the work waits on purpose for somebody who is watched by others: an actor, however
    slow or away. It counts as moving while the event loop does. For use within that loop."""
    part = AT_WORK.get()
    if part is None:
        yield
        return
    waiting = asyncio.create_task(_note(part))
    try:
        yield
    finally:
        waiting.cancel()
        part.moved()


async def _note(part: Part) -> None:
    while True:
        await asyncio.sleep(_NOTE)
        part.moved()
