"""Token buckets shared by the fleet: one script call takes many tokens."""

from redis.asyncio import Redis

from tocsin.store import keys
from tocsin.store.client import script


class Buckets:
    """Buckets by name. All takers of a name must agree on its rate and capacity."""

    def __init__(self, client: Redis) -> None:
        self._take = script(client, "bucket")

    async def take(self, name: str, want: int, rate: float, capacity: float) -> tuple[int, int]:
        """Take up to `want` tokens of a bucket refilled at `rate`/s up to `capacity` (≥ 1).

        Returns (granted, wait_ms): how many are yours, for good, and when none is, how long until
        the next one. Tokens are never given back: take 50-200 at a time, and use them.
        """
        granted, wait_ms = await self._take(keys=[keys.bucket(name)], args=[want, rate, capacity])
        return int(granted), int(wait_ms)
