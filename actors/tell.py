"""What a process that sends tells of its providers, for people who watch."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.hand_over import HandOver
from actors.vitals import Vitals
from tocsin.clock import Clock
from tocsin.store.provider_states import KEEP_SECONDS, ProviderState, ProviderStates

EVERY: Final = 1.0
"""Seconds between two looks."""

_ANYWAY: Final = KEEP_SECONDS / 3
"""What has not changed is said again, so that it is not taken to be gone."""

_WHENEVER: Final = datetime.fromtimestamp(0, UTC)


class Tell:
    """At most one call a second, and none while nothing changes. A store that is away misses some:
    nobody waits for this."""

    def __init__(
        self, states: ProviderStates, vitals: Collection[Vitals], process: str, clock: Clock
    ) -> None:
        self._states, self._vitals, self._process = states, vitals, process
        self._clock = clock
        self._said: dict[str, ProviderState] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(EVERY)

    async def once(self) -> int:
        """Say what is news; how many providers that were."""
        now = self._clock.now()
        found = [each.shown(self._process, now) for each in self._vitals]
        news = [state for state in found if self._is_news(state)]
        try:
            await self._states.put(news)
        except RedisError:
            return 0
        self._said |= {state.provider: state for state in news}
        return len(news)

    def _is_news(self, state: ProviderState) -> bool:
        said = self._said.get(state.provider)
        if said is None or (state.at - said.at).total_seconds() >= _ANYWAY:
            return True
        return replace(state, at=_WHENEVER) != replace(said, at=_WHENEVER)


def telling(redis: Redis, providers: HandOver, process: str, clock: Clock) -> "asyncio.Task[None]":
    """Tell of these from now on, until the task is cancelled."""
    tell = Tell(ProviderStates(redis), providers.vitals.values(), process, clock)
    return asyncio.create_task(tell.run())
