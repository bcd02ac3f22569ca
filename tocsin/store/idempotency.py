"""Idempotency-Key: the same request asked twice has one effect and one answer, for a day."""

import logging
from typing import Final, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tocsin.errors import Refused
from tocsin.store import keys
from tocsin.store.client import raw

log = logging.getLogger(__name__)

SECONDS: Final = 24 * 3600
_FINGERPRINT = 32


class Begun(NamedTuple):
    """`answer` is what was said the first time; None while nobody has come that far.

    Then do the work, and name its effects by (caller, key, fingerprint): whoever began before may
    have died half-way, or be at it right now, and what both do must be one thing.
    """

    fresh: bool
    answer: bytes | None


class Idempotency:
    """One key per (caller, Idempotency-Key)."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def begin(self, caller: str, key: str, fingerprint: bytes) -> Begun:
        """Reserve a key for a request (SHA-256 of it). Raises `Refused` if it came with another."""
        name = keys.idempotency(caller, key)
        reply = await self._client.set(name, fingerprint, nx=True, get=True, ex=SECONDS)
        (held,) = raw([reply])
        if held is None:
            return Begun(True, None)
        if held[:_FINGERPRINT] != fingerprint:
            raise Refused(
                "idempotency_mismatch", "this Idempotency-Key came with another request before"
            )
        return Begun(False, held[_FINGERPRINT:] or None)

    async def finish(self, caller: str, key: str, fingerprint: bytes, answer: bytes) -> None:
        """Keep the answer (not empty). The work is done, so a store that is away changes nothing:
        asked again it is done again, under the same names."""
        try:
            name = keys.idempotency(caller, key)
            await self._client.set(name, fingerprint + answer, ex=SECONDS)
        except RedisError as error:
            log.warning("an idempotent answer was not kept: %s", error)

    async def abandon(self, caller: str, key: str) -> None:
        """Give up a fresh reservation: the request was refused and may be corrected."""
        await self._client.delete(keys.idempotency(caller, key))
