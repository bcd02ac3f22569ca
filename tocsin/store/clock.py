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
    """This host's clock, corrected by how far it is off the store's. A `tocsin.clock.Clock`.

    Off by at most half a round trip, plus what the host drifts between two looks. While the store
    is away it goes on with what it knew.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self.offset = 0.0

    @classmethod
    async def set_by(cls, client: Redis) -> "StoreClock":
        """A clock that is right from the start. Raises what Redis raises."""
        clock = cls(client)
        await clock.look()
        return clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.offset, UTC)

    async def look(self) -> None:
        """Measure once; one round trip."""
        before = time.time()
        seconds, micros = await self._client.time()
        offset = seconds + micros / 1e6 - (before + time.time()) / 2
        if abs(offset - self.offset) > WORTH_SAYING:
            log.warning("this host's clock is %.1f s off the store's, which counts", -offset)
        self.offset = offset

    async def keep(self) -> None:
        """Measure every EVERY seconds until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except RedisError as error:
                log.debug("the store's clock cannot be read: %s", error)
