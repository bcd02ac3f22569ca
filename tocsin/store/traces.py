"""What a person leaves in the store that nothing lists by person: found by a scan, and removed."""

from collections.abc import Iterable
from typing import Final

from redis.asyncio import Redis

from tocsin.store import keys
from tocsin.store.client import raw

_SCAN: Final = 2_000
"""Keys looked at in one call: a slice of a millisecond, so that nobody else waits for it."""


class Traces:
    """Removes by pattern. It looks at every key there is, 10 million in some seconds: for erasing
    people and for tidying up, not for anything frequent."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def remove(self, patterns: Iterable[str]) -> None:
        """Every key that matches one of the patterns. Doing it again is harmless."""
        for pattern in patterns:
            async for name in self._client.scan_iter(pattern, count=_SCAN):
                await self._client.unlink(name)

    async def erase(self, user_id: str) -> None:
        """A person's dedupe marks, frequency caps, and where their sockets are said to be."""
        await self.remove(keys.personal(user_id))
        for shard in raw(await self._client.zrange(keys.SHARDS, 0, -1)):
            if shard is not None:
                await self._client.srem(keys.shard_users(shard.decode()), user_id)
