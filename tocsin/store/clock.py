"""The fleet's clock: the store's, so that hosts that disagree by minutes decide alike."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

EVERY: Final = 10.0
WORTH_SAYING: Final = 2.0
"""Seconds this host may be off before its log says so."""

log = logging.getLogger(__name__)


class StoreClock:
    """The store's clock, kept going by this host's steady one. A `tocsin.clock.Clock`.

    Off by at most half a round trip, plus what the host drifts between two looks; whatever somebody
    sets this host's own clock to meanwhile changes nothing. While the store is away it goes on with
    what it knew.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._off = 0.0
        self._since_steady = time.time() - time.monotonic()

    @classmethod
    async def set_by(cls, client: Redis) -> "StoreClock":
        """A clock that is right from the start. Raises what Redis raises."""
        clock = cls(client)
        await clock.look()
        return clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.monotonic() + self._since_steady, UTC)

    async def look(self) -> None:
        """Measure once; one round trip."""
        before = time.monotonic()
        seconds, micros = await self._client.time()
        after = time.monotonic()
        self._since_steady = seconds + micros / 1e6 - (before + after) / 2
        off = time.time() - after - self._since_steady
        if abs(off - self._off) > WORTH_SAYING:
            log.warning("this host's clock is %.1f s off the store's, which counts", off)
        self._off = off

    async def keep(self) -> None:
        """Measure every EVERY seconds until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except RedisError as error:
                log.debug("the store's clock cannot be read: %s", error)
