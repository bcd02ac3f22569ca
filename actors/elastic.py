"""Shards beyond the base ones, made and ended as connections come and go."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Final

from actors.scale import Scale, drain_seconds
from tocsin.settings import Settings

_log = logging.getLogger(__name__)

SHARD: Final = "shard-"

Make = Callable[[str], Awaitable[Any]]
"""An actor of this name, made or found: its handle."""

End = Callable[[Any, float], Awaitable[None]]
"""Drain this actor over so many seconds and end it. Raises nothing."""


class Elastic:
    """Changes `actors`, name → handle, by one shard at a time. Lives in one event loop."""

    def __init__(self, settings: Settings, actors: dict[str, Any], make: Make, end: End) -> None:
        self._settings, self._actors, self._make, self._end = settings, actors, make, end
        self._scale = Scale(settings)
        self._change: asyncio.Task[None] | None = None
        self._leaving: dict[str, Any] = {}

    def adjust(self, facts: Mapping[str, Mapping[str, Any]], now: float) -> None:
        """Begin what the shards' facts ask for, unless the last change is still going on.

        A shard that is being ended is in `actors` no more.
        """
        if self._change and not self._change.done():
            return
        shards = [name for name in self._actors if name.startswith(SHARD)]
        loads = {name: facts[name]["connections"] if name in facts else None for name in shards}
        step = self._scale.look(list(loads.values()), now)
        if step > 0:
            self._begin(self._more(loads))
        elif step < 0:
            name = max(shards, key=number)
            self._leaving[name] = self._actors.pop(name)
            self._begin(self._less(name, loads[name] or 0, len(shards) - 1))

    def forget(self, dead: Iterable[str]) -> None:
        """Shards beyond the base that ended for good are no actors any more: one may be asked for
        by name in the very round in which it is ended, and what is found is the dying one."""
        for name in dead:
            if name.startswith(SHARD) and number(name) >= self._settings.shards:
                _log.info("%s has ended", name)
                self._actors.pop(name, None)

    async def stop(self) -> None:
        """Change nothing more. A shard that is being ended is among the actors again: it has to go
        as fast as they."""
        if self._change:
            if self._leaving:
                self._change.cancel()
            await asyncio.wait([self._change])
        self._actors |= self._leaving

    def _begin(self, change: Coroutine[Any, Any, None]) -> None:
        self._change = asyncio.create_task(change)

    async def _more(self, loads: Mapping[str, int | None]) -> None:
        name = next(n for i in itertools.count() if (n := f"{SHARD}{i}") not in self._actors)
        total = sum(load or 0 for load in loads.values())
        _log.info("%d sockets on %d shards: making %s", total, len(loads), name)
        try:
            self._actors[name] = await self._make(name)
        except Exception as error:
            # the next round asks again
            _log.warning("%s cannot be made: %r", name, error)

    async def _less(self, name: str, sockets: int, others: int) -> None:
        seconds = drain_seconds(sockets, others, self._settings.shard_accepts)
        _log.info("ending %s: its %d sockets go elsewhere within %.0f s", name, sockets, seconds)
        await self._end(self._leaving[name], seconds)
        self._leaving.clear()


def number(name: str) -> int:
    """Of a shard's name."""
    return int(name.removeprefix(SHARD))
