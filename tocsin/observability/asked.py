"""Whether anybody reads the metrics: some cost a question to an engine, which is put for a reader
only."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import REGISTRY, Metric
from prometheus_client.registry import Collector

READER_SECONDS: Final = 90.0
"""Who asked within this time asks regularly."""


class Asked(Collector):
    """A collector that has nothing to tell and notes when it is asked. `now` never goes back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._at = now, float("-inf")

    def describe(self) -> list[Metric]:
        """Nothing; and registering is not asking."""
        return []

    def collect(self) -> list[Metric]:
        """Nothing."""
        self._at = self._now()
        return []

    def lately(self) -> bool:
        """Whether somebody reads the metrics regularly."""
        return self._now() - self._at < READER_SECONDS


@contextmanager
def noticing() -> Iterator[Asked]:
    """An `Asked` of this process's metrics."""
    asked = Asked()
    REGISTRY.register(asked)
    try:
        yield asked
    finally:
        REGISTRY.unregister(asked)
