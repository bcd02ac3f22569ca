"""How many people wait for what is out of stock."""

from collections.abc import Iterable

from redis.asyncio import Redis

from tocsin.store import keys


class Waiting:
    """Reads, in one call."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def of(self, skus: Iterable[str]) -> dict[str, int]:
        """Sign-ups that wait, by SKU."""
        names = list(dict.fromkeys(skus))
        if not names:
            return {}
        async with self._client.pipeline(transaction=False) as pipe:
            for sku in names:
                pipe.zcard(keys.waiting(sku))
            return dict(zip(names, await pipe.execute(), strict=True))
