"""One delivery to all its addresses: paced, bounded, and whatever happens an answer."""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Final

from redis.exceptions import RedisError

from actors.breaker import BULK, Policy
from actors.decide import Address, Held, Overdue, channel_of
from actors.message import Message, Sent
from actors.pace import Pace
from actors.providers import Provider
from actors.vendors import Vendors
from actors.vitals import Vitals
from tocsin.clock import Clock
from tocsin.errors import Permanent, SendError, Transient
from tocsin.records import Lane, lane_of

log = logging.getLogger(__name__)

IN_FLIGHT: Final = 128
"""Provider calls at once in a process and lane: streams of a few HTTP/2 connections, or SMTP
connections."""

Make = Callable[[Address], Message]


class HandOver:
    """The providers behind a rate and a bound, and each behind a breaker. `pace` makes a taker of
    the fleet's one bucket."""

    def __init__(
        self,
        vendors: Vendors,
        pace: Callable[[], Pace],
        clock: Clock,
        lanes: Sequence[Lane],
        policy: Policy = BULK,
    ) -> None:
        self._vendors, self._clock = vendors, clock
        # a lane waits for its own: no token and no free call is behind those of a lower one
        self._paces = {lane: pace() for lane in lanes}
        self._slots = {lane: asyncio.Semaphore(IN_FLIGHT) for lane in lanes}
        since = clock.now()
        self.vitals = {
            vendor.name: Vitals(vendor.name, channel_of(kind), since, policy)
            for kind, vendor in vendors.items()
        }
        """How each provider does."""

    async def all(self, make: Make, to: Sequence[Address]) -> list[Sent | SendError]:
        """An answer per address; nothing is raised but cancellation."""
        if len(to) == 1:
            return [await self._one(make(to[0]), to[0].kind)]
        return await asyncio.gather(*(self._one(make(address), address.kind) for address in to))

    async def _one(self, message: Message, kind: str) -> Sent | SendError:
        vendor = self._vendors.get(kind)
        if vendor is None:
            return Permanent("no_provider")
        vitals = self.vitals[vendor.name]
        if (wait := vitals.breaker.wait()) is not None:
            # at once: neither a free call nor a token is for a provider that is not asked
            return Held(vendor.name, wait)
        lane = lane_of(message.priority)
        async with self._slots[lane]:
            await self._paces[lane].one()
            if message.expires_at is not None and message.expires_at <= self._clock.now():
                return Overdue("expired")
            permit = vitals.breaker.admit()
            if permit is None:
                return Held(vendor.name, vitals.breaker.wait() or 0.0)
            return await _called(vendor, message, vitals, permit)

    async def close(self) -> None:
        """Close every provider's connections."""
        for vendor in set(self._vendors.values()):
            await vendor.close()


async def _called(
    vendor: Provider, message: Message, vitals: Vitals, permit: int
) -> Sent | SendError:
    """One call. Its end is known to the breaker, however it comes."""
    answer: SendError | None = None
    known, begun = False, time.perf_counter()
    try:
        sent = await vendor.send(message)
        known = True
        return sent
    except SendError as error:
        answer, known = error, True
        return error
    except RedisError:
        return Transient("store", vendor.name)
    except Exception as error:
        return Permanent(bug(message.delivery_id, error), vendor.name)
    finally:
        vitals.end(permit, time.perf_counter() - begun, answer, known)


def bug(delivery_id: str, error: Exception) -> str:
    """Log where an unexpected error came from, and return a reason to keep. Its text is in neither:
    it may quote an address, a text or a code."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f"{place[0].filename}:{place[0].lineno}" if place else "?"
    name = type(error).__name__
    log.error("delivery %s failed with %s at %s", delivery_id, name, where)
    return f"error: {name}"
