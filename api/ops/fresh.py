"""One answer for everybody who asks within a second: an engine is asked once however many look."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError
from redis.exceptions import RedisError

from tocsin.errors import EngineUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

AWAY: Final = (
    EngineUnavailable, RedisError, KafkaError, ClickHouseError, OSError, TimeoutError,
)  # fmt: skip
"""What is raised while an engine is away."""


class Fresh(Generic[T]):
    """The answer of `ask`, at most `seconds` old; None while it cannot be had, and that is not
    asked more often either. `patience` bounds an ask, in seconds."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[T]],
        seconds: float,
        patience: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._seconds, self._patience, self._now = ask, seconds, patience, now
        self._asking = asyncio.Lock()
        self._until = float("-inf")
        self._answer: T | None = None
        self._away = False

    async def get(self) -> T | None:
        """The answer there is, or a new one."""
        async with self._asking:
            if self._now() >= self._until:
                self._answer = await self._asked()
                self._until = self._now() + self._seconds
            return self._answer

    async def _asked(self) -> T | None:
        try:
            async with asyncio.timeout(self._patience):
                answer = await self._ask()
        except AWAY as error:
            if not self._away:  # once per outage
                log.warning("the console goes without: %s: %s", type(error).__name__, error)
            self._away = True
            return None
        self._away = False
        return answer
