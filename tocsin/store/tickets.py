"""WebSocket tickets: an API call that is authenticated buys one connection that need not be."""

import secrets
from typing import cast

from redis.asyncio import Redis

from tocsin.store import keys


class Tickets:
    """Each admits once. A grant is ``user:<id>`` or ``audience:<name>``."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def issue(self, grant: str, seconds: int = 30) -> str:
        """A ticket (192 random bits, URL-safe) for `grant`, good for `seconds`."""
        ticket = secrets.token_urlsafe(24)
        await self._client.set(keys.ticket(ticket), grant, ex=seconds)
        return ticket

    async def redeem(self, ticket: str) -> str | None:
        """The grant, to the first who asks; None for a used, expired or invented ticket."""
        grant = cast("bytes | None", await self._client.getdel(keys.ticket(ticket)))
        return None if grant is None else grant.decode()
