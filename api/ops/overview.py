"""The whole system at a glance. What cannot be read now is null, and the rest is there."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from redis.asyncio import Redis

from api.figures import Figures
from api.ops.books import Books
from api.ops.channels import ChannelNow, channels_now
from api.ops.fresh import Fresh
from api.ops.lag import LagWatch
from api.ops.letters import DeadLetters
from api.ops.providers import ProviderNow, merged
from tocsin.clock import Clock
from tocsin.settings import Settings
from tocsin.store.present import Count, Present
from tocsin.store.provider_states import ProviderState, ProviderStates
from tocsin.store.schedule import Schedule

EVERY: Final = 1.0
"""Seconds in which an engine is asked once, however many consoles are open."""

_WAITS_EVERY: Final = 5.0
_PATIENCE: Final = 3.0
_LONG_PATIENCE: Final = 6.0


class EnginesNow(msgspec.Struct, frozen=True):
    """Whether each answered just now."""

    kafka: bool
    redis: bool
    clickhouse: bool


class TopicLag(msgspec.Struct, frozen=True):
    """Records of a topic that a consumer group has not finished."""

    group: str
    topic: str
    records: int


class SocketsNow(msgspec.Struct, frozen=True):
    """People with an open socket; not `exact`: who is on two shards is counted twice."""

    connected: int
    exact: bool


class ScheduleNow(msgspec.Struct, frozen=True):
    """What waits for its hour."""

    waiting: int


class DeadNow(msgspec.Struct, frozen=True):
    """DeadNow letters that were never put back."""

    open: int


class Overview(msgspec.Struct, frozen=True):
    """The system now."""

    at: datetime
    demo: bool
    engines: EnginesNow
    lag: list[TopicLag] | None
    channels: list[ChannelNow]
    providers: list[ProviderNow] | None
    sockets: SocketsNow | None
    schedule: ScheduleNow | None
    dead: DeadNow | None


class _Store(NamedTuple):
    providers: Sequence[ProviderState]
    people: Count
    waiting: int


class Watch:
    """Asks each engine at most once a second; connects when somebody first looks."""

    def __init__(
        self,
        settings: Settings,
        redis: Redis,
        figures: Figures,
        books: Books,
        letters: DeadLetters,
        clock: Clock,
    ) -> None:
        self._demo, self._clock = bool(settings.sandbox_url), clock
        self._present, self._schedule = Present(redis), Schedule(redis)
        self._states, self._meter = ProviderStates(redis), LagWatch(settings)
        self._lag = Fresh(self._meter.ask, EVERY, _LONG_PATIENCE)
        self._store = Fresh(self._ask_store, EVERY, _PATIENCE)
        self._dead = Fresh(letters.open, EVERY, _PATIENCE)
        self._totals = Fresh(figures.totals, EVERY, _LONG_PATIENCE)
        self._pace = Fresh(books.channels, EVERY, _LONG_PATIENCE)
        self._waits = Fresh(books.waits, _WAITS_EVERY, _LONG_PATIENCE)

    async def overview(self) -> Overview:
        """What every engine told within the last second or so."""
        lag, store, dead, totals, pace, waits = await asyncio.gather(
            self._lag.get(), self._store.get(), self._dead.get(),
            self._totals.get(), self._pace.get(), self._waits.get(),
        )  # fmt: skip
        return Overview(
            at=self._clock.now(),
            demo=self._demo,
            engines=EnginesNow(lag is not None, store is not None, pace is not None),
            lag=None if lag is None else [TopicLag(*key, n) for key, n in sorted(lag.items())],
            channels=channels_now(totals, pace, waits, lag),
            providers=None if store is None else merged(store.providers),
            sockets=None if store is None else SocketsNow(*store.people),
            schedule=None if store is None else ScheduleNow(store.waiting),
            dead=None if dead is None else DeadNow(dead),
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._meter.close()

    async def _ask_store(self) -> _Store:
        return _Store(
            await self._states.all(self._clock.now()),
            await self._present.count(),
            await self._schedule.waiting(),
        )
