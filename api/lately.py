"""One answer for all who ask the same at about the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Lately(Generic[K, T]):
    """The answer of `ask` to a key, at most `seconds` old, and asked for once at a time. What it
    raised is raised to all of them, for as long: whatever is away is not asked more often either.
    """

    def __init__(
        self,
        ask: Callable[[K], Awaitable[T]],
        seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._seconds, self._now = ask, seconds, now
        self._asked: dict[K, asyncio.Task[T]] = {}
        self._until: dict[K, float] = {}

    async def get(self, key: K) -> T:
        """The answer there is, or a new one. Raises what `ask` raises."""
        self._forget()
        if (task := self._asked.get(key)) is None:
            task = asyncio.create_task(self._answered(key))
            task.add_done_callback(_looked_at)
            self._asked[key] = task
        # whoever asked first may go away: the others still wait
        return await asyncio.shield(task)

    async def _answered(self, key: K) -> T:
        try:
            return await self._ask(key)
        finally:
            self._until[key] = self._now() + self._seconds

    def _forget(self) -> None:
        now = self._now()
        for key in [key for key, until in self._until.items() if until <= now]:
            del self._until[key], self._asked[key]


def _looked_at(task: asyncio.Task[T]) -> None:
    """An error that nobody waited for any more is no surprise."""
    if not task.cancelled():
        task.exception()
