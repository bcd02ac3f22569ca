"""A few threads and a bounded queue in front of them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from analytics.engine.problem import TOO_MANY_QUERIES, Problem

T = TypeVar("T")


class Lane:
    """At most `threads` calls run, at most `most` are here; beyond that `Problem` 202 at once."""

    def __init__(self, name: str, threads: int, most: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most, self._here = most, 0

    async def run(self, call: Callable[[], T]) -> T:
        """The call's result, from a thread."""
        if self._here >= self._most:
            reason = f"Too many simultaneous queries. Maximum: {self._most}"
            raise Problem(TOO_MANY_QUERIES, "TOO_MANY_SIMULTANEOUS_QUERIES", reason)
        self._here += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        finally:
            self._here -= 1

    def close(self) -> None:
        """Wait for what runs."""
        self._threads.shutdown()
