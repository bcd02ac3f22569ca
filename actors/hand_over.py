"""One delivery to all its addresses: paced, bounded, and whatever happens an answer."""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Final

from redis.exceptions import RedisError

from actors.decide import Address, Overdue
from actors.message import Message, Sent
from actors.pace import Pace
from actors.vendors import Vendors
from tocsin.clock import Clock
from tocsin.errors import Permanent, SendError, Transient
from tocsin.metrics import PROVIDER_SECONDS
from tocsin.records import Lane, lane_of

log = logging.getLogger(__name__)

IN_FLIGHT: Final = 128
"""Provider calls at once in a process and lane: streams of a few HTTP/2 connections, or SMTP
connections."""

Make = Callable[[Address], Message]


class HandOver:
    """The providers behind a rate and a bound. `pace` makes a taker of the fleet's one bucket."""

    def __init__(
        self, vendors: Vendors, pace: Callable[[], Pace], clock: Clock, lanes: Sequence[Lane]
    ) -> None:
        self._vendors, self._clock = vendors, clock
        # a lane waits for its own: no token and no free call is behind those of a lower one
        self._paces = {lane: pace() for lane in lanes}
        self._slots = {lane: asyncio.Semaphore(IN_FLIGHT) for lane in lanes}
        names = {vendor.name for vendor in vendors.values()}
        self._seconds = {name: PROVIDER_SECONDS.labels(name) for name in names}

    async def all(self, make: Make, to: Sequence[Address]) -> list[Sent | SendError]:
        """An answer per address; nothing is raised but cancellation."""
        if len(to) == 1:
            return [await self._one(make(to[0]), to[0].kind)]
        return await asyncio.gather(*(self._one(make(address), address.kind) for address in to))

    async def _one(self, message: Message, kind: str) -> Sent | SendError:
        vendor = self._vendors.get(kind)
        if vendor is None:
            return Permanent("no_provider")
        lane = lane_of(message.priority)
        async with self._slots[lane]:
            await self._paces[lane].one()
            if message.expires_at is not None and message.expires_at <= self._clock.now():
                return Overdue("expired")
            begun = time.perf_counter()
            try:
                return await vendor.send(message)
            except SendError as error:
                return error
            except RedisError:
                return Transient("store", vendor.name)
            except Exception as error:
                return Permanent(bug(message.delivery_id, error), vendor.name)
            finally:
                self._seconds[vendor.name].observe(time.perf_counter() - begun)

    async def close(self) -> None:
        """Close every provider's connections."""
        for vendor in set(self._vendors.values()):
            await vendor.close()


def bug(delivery_id: str, error: Exception) -> str:
    """Log where an unexpected error came from, and return a reason to keep. Its text is in neither:
    it may quote an address, a text or a code."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f"{place[0].filename}:{place[0].lineno}" if place else "?"
    name = type(error).__name__
    about = {"delivery_id": delivery_id}
    log.error("delivery %s failed with %s at %s", delivery_id, name, where, extra=about)
    return f"error: {name}"
