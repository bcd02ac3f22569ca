"""The provider token of APNs: one ES256 JWT per key for the whole fleet, kept in Redis.

Apple refuses tokens older than 60 minutes, and answers 429 TooManyProviderTokenUpdates to a team
that makes new ones within 20. So whoever finds none mints one, the first to store it wins, and all
use that one until it is 45 minutes old.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import jwt
from redis.asyncio import Redis

from tocsin.store import keys

FRESH_SECONDS: Final = 45 * 60
"""Between the 20 minutes Apple wants a token kept and the 60 it accepts one."""

MIN_AGE_SECONDS: Final = 20 * 60


class ApnsToken:
    """The current token, cached in this process and shared through Redis."""

    def __init__(
        self,
        client: Redis,
        key: str | Path,
        key_id: str,
        team_id: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`key` is the .p8 file or its PEM text."""
        self._client, self._now = client, now
        self._key = key.read_text() if isinstance(key, Path) else key
        self._key_id, self._team_id = key_id, team_id
        self._name = keys.provider_token("apns", f"{team_id}.{key_id}")
        self._token, self._issued = "", 0

    async def get(self) -> str:
        """The token to send now. A Redis round trip in 45 minutes."""
        if self._now() - self._issued >= FRESH_SECONDS:
            self._issued, self._token = await self._shared()
        return self._token

    async def reject(self, token: str) -> None:
        """Apple says ExpiredProviderToken: forget it for all, unless that would be too soon."""
        if token != self._token or self._now() - self._issued < MIN_AGE_SECONDS:
            return
        if (await self._stored())[1] == token:
            await self._client.delete(self._name)
        self._issued = 0

    async def _shared(self) -> tuple[int, str]:
        issued, token = await self._stored()
        if token:
            return issued, token
        issued = int(self._now())
        token = self._mint(issued)
        await self._client.set(self._name, f"{issued} {token}", nx=True, ex=FRESH_SECONDS)
        # whoever was first, that is the one
        first = await self._stored()
        return first if first[1] else (issued, token)

    async def _stored(self) -> tuple[int, str]:
        """(0, "") if there is none."""
        value = await self._client.get(self._name)
        issued, _, token = (
            value.decode().partition(" ") if isinstance(value, bytes) else ("0", "", "")
        )
        return int(issued), token

    def _mint(self, issued: int) -> str:
        claims = {"iss": self._team_id, "iat": issued}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._key_id})
