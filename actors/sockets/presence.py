"""Keeps the registry true to who is connected: many arrivals and departures in one call a turn."""

import asyncio
import logging
from collections.abc import Container, Iterable

from redis.exceptions import RedisError

from tocsin.store.registry import Registry

_log = logging.getLogger(__name__)


class Presence:
    """One writer, so that an arrival and a departure of the same person cannot overtake each other:
    each turn writes what `connected` says then, whatever happened in between."""

    def __init__(self, registry: Registry, connected: Container[str]) -> None:
        self._registry, self._connected = registry, connected
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._turn: asyncio.Future[bool] | None = None

    def note(self, user_ids: Iterable[str]) -> None:
        """These came or went; the registry will hear of it."""
        self._changed.update(user_ids)
        self._wake.set()

    async def settled(self, user_id: str) -> bool:
        """Note, and wait until the registry says so. False if it could not be told."""
        self.note((user_id,))
        if self._turn is None:
            self._turn = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._turn)

    async def run(self) -> None:
        """Write, turn after turn, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = self._changed, set()
            turn, self._turn = self._turn, None
            told = False
            try:
                told = await self._tell(changed)
            finally:
                if turn is not None:
                    turn.set_result(told)

    async def _tell(self, changed: set[str]) -> bool:
        here = {user_id for user_id in changed if user_id in self._connected}
        try:
            await self._registry.update(here, changed - here)
        except RedisError as error:
            # `refresh` brings the next turn
            self._changed |= changed
            _log.warning("registry not told of %d people: %s", len(changed), error)
            return False
        return True

    async def refresh(self, everyone: Iterable[str]) -> None:
        """Renew the lease; if it was lost, tell of everyone anew. Call it three times a lease."""
        if not await self._registry.renew():
            self.note(everyone)
        if self._changed:
            self._wake.set()
