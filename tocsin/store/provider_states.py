"""How each process that sends finds its providers: a view for people who watch, and nothing that
sending depends on."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from tocsin.records.fields import Instant
from tocsin.spread import Pairs
from tocsin.store import keys
from tocsin.store.client import raw

log = logging.getLogger(__name__)

KEEP_SECONDS: Final = 120
"""A process that says nothing for so long is taken to be gone."""


class BreakerState(StrEnum):
    """Closed lets calls through, open none, half_open a few to see."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class ProviderState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A provider as one process finds it. `since` and `reason` are of `state`; the rest is of the
    last minute: calls, how many of them failed by the provider's fault, and how long they took
    (tocsin/spread.py)."""

    provider: str
    process: str
    channel: str
    state: BreakerState
    since: Instant
    at: Instant
    reason: str = ""
    calls: int = 0
    failures: int = 0
    spread: Pairs = []


_read = msgspec.json.Decoder(ProviderState).decode


class ProviderStates:
    """Each process writes its own fields; whoever reads leaves out what is old."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def put(self, states: Sequence[ProviderState]) -> None:
        """Say these, in one call."""
        fields: dict[Any, Any] = {
            f"{each.provider}/{each.process}": msgspec.json.encode(each) for each in states
        }
        if not fields:
            return
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hset(keys.OPS_PROVIDERS, mapping=fields)
            pipe.expire(keys.OPS_PROVIDERS, KEEP_SECONDS)
            await pipe.execute()

    async def all(self, now: datetime | None = None) -> list[ProviderState]:
        """What was said within KEEP_SECONDS, of every process."""
        least = (now or datetime.now(UTC)) - timedelta(seconds=KEEP_SECONDS)
        values = raw(list(await self._client.hvals(keys.OPS_PROVIDERS)))
        found = [state for value in values if value and (state := _state(value))]
        return [each for each in found if each.at >= least]


def _state(value: bytes) -> ProviderState | None:
    try:
        return _read(value)
    except msgspec.MsgspecError:
        log.warning("%s holds what cannot be read", keys.OPS_PROVIDERS)
        return None
