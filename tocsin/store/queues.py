"""Who waits for what, to be looked at: reads only, and never what a decision is made from."""

from collections.abc import Sequence
from typing import NamedTuple

from redis.asyncio import Redis

from tocsin.records import Subscription, decode
from tocsin.store import keys
from tocsin.store.client import raw


class Place(NamedTuple):
    """`place` counts from 1, of `of` who wait for the SKU; 0 for who does not wait (any more)."""

    place: int
    of: int


class Queues:
    """The queues of the SKUs, first come first."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def lengths(self, skus: Sequence[str]) -> list[int]:
        """How many wait for each."""
        async with self._client.pipeline(transaction=False) as pipe:
            for sku in skus:
                pipe.zcard(keys.waiting(sku))
            return [int(length) for length in await pipe.execute()]

    async def first(self, sku: str, most: int) -> list[Subscription]:
        """The first `most` who wait for it, in order."""
        ids = raw(await self._client.zrange(keys.waiting(sku), 0, most - 1))
        if not ids:
            return []
        names = [keys.subscription(i.decode()) for i in ids if i]
        found = raw(await self._client.mget(names))
        return [decode(Subscription, value) for value in found if value]

    async def places(self, subscriptions: Sequence[Subscription]) -> list[Place]:
        """Where each stands, in one call."""
        async with self._client.pipeline(transaction=False) as pipe:
            for each in subscriptions:
                pipe.zrank(keys.waiting(each.sku), each.subscription_id)
                pipe.zcard(keys.waiting(each.sku))
            found = await pipe.execute()
        pairs = zip(found[::2], found[1::2], strict=True)
        return [Place(0 if rank is None else int(rank) + 1, int(of)) for rank, of in pairs]
