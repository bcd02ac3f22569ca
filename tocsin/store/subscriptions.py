"""Stock and who waits for it: the restock decision is one atomic script per change."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from redis.asyncio import Redis

from tocsin.errors import StoreEmptied
from tocsin.records import InventoryChange, Subscription, decode, encode
from tocsin.store import keys
from tocsin.store.client import raw, script
from tocsin.store.view import kept, whole


class Restocked(msgspec.Struct, frozen=True):
    """What one change did. `firing` must reach Kafka; then say so with `fired`.

    The same change applied again (a crash came between) returns the same `firing`.
    """

    sku: str
    available: int
    applied: bool
    firing: list[Subscription]


class Subscriptions:
    """The view of the ``subscriptions`` topic, and the stock it waits for.

    In a store that was emptied nothing is missing for certain: whatever misses something raises
    `StoreEmptied`, and so does every stock change.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._add = script(client, "subscription_add")
        self._restock = script(client, "restock")
        self._restore = script(client, "subscription_restore")
        self._erased = script(client, "erased")

    async def add(self, subscription: Subscription) -> bool:
        """Let a person wait. False, and nothing done, if this very id is known (in any state)."""
        return (await self.add_many([subscription]))[0]

    async def add_many(self, subscriptions: Sequence[Subscription]) -> list[bool]:
        """`add` for each, in one call and one step."""
        names: list[str] = []
        args: list[str | bytes | int] = []
        for each in subscriptions:
            names += (
                keys.subscription(each.subscription_id),
                keys.user_subscriptions(each.user_id),
                keys.waiting(each.sku),
            )
            args += (each.subscription_id, encode(each), _millis(each.created_at))
        return [bool(new) for new in await self._add(keys=names, args=args)] if names else []

    async def get(self, subscription_id: str) -> Subscription | None:
        """One subscription in any state, or None."""
        return (await self._read([subscription_id]))[0]

    async def get_many(self, subscription_ids: Sequence[str]) -> list[Subscription | None]:
        """One MGET; a place holds None where the subscription is unknown."""
        return await self._read(subscription_ids)

    async def of_user(self, user_id: str) -> list[Subscription]:
        """A person's subscriptions, newest first."""
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.smembers(keys.user_subscriptions(user_id))
            pipe.exists(keys.STORE_READY)
            members, ready = await pipe.execute()
        if not ready:
            raise StoreEmptied
        found = [s for s in await self._read([i.decode() for i in members]) if s]
        return sorted(found, key=lambda s: s.created_at, reverse=True)

    async def end(self, subscriptions: Sequence[Subscription]) -> None:
        """Store subscriptions that no longer wait, and take them off the queue."""
        async with self._client.pipeline(transaction=True) as pipe:
            for subscription in subscriptions:
                pipe.set(keys.subscription(subscription.subscription_id), encode(subscription))
                pipe.zrem(keys.waiting(subscription.sku), subscription.subscription_id)
                pipe.hdel(keys.firing(subscription.sku), subscription.subscription_id)
            await pipe.execute()

    async def erase(self, user_id: str, subscriptions: Sequence[Subscription]) -> None:
        """Forget a person's subscriptions as if they had never been."""
        async with self._client.pipeline(transaction=True) as pipe:
            for each in subscriptions:
                pipe.delete(keys.subscription(each.subscription_id))
                pipe.zrem(keys.waiting(each.sku), each.subscription_id)
                pipe.hdel(keys.firing(each.sku), each.subscription_id)
            pipe.delete(keys.user_subscriptions(user_id))
            names = [keys.STORE_REBUILD, keys.STORE_ERASED]
            await self._erased(keys=names, args=[user_id], client=pipe)
            await pipe.execute()

    async def restore(self, subscriptions: Sequence[Subscription], rebuild: str) -> int:
        """What the log says of these, for the rebuild of that token; how many were not so here.

        Those that wait are queued unless their id is known, those that ended are taken off. Raises
        `StoreEmptied` if the rebuild's lease is lost.
        """
        names = [keys.STORE_REBUILD, keys.STORE_ERASED]
        args: list[str | bytes | int] = [rebuild]
        for each in subscriptions:
            names += (
                keys.subscription(each.subscription_id),
                keys.user_subscriptions(each.user_id),
                keys.waiting(each.sku),
                keys.firing(each.sku),
            )
            args += (
                each.subscription_id,
                each.user_id,
                encode(each),
                _millis(each.created_at),
                int(each.state == "waiting"),
            )
        return kept(await self._restore(keys=names, args=args))

    async def available(self, skus: Sequence[str]) -> list[int | None]:
        """Current stock per SKU; None where the SKU was never heard of."""
        async with self._client.pipeline(transaction=False) as pipe:
            for sku in skus:
                pipe.hget(keys.stock(sku), "available")
            pipe.get(keys.STORE_READY)
            return [None if v is None else int(v) for v in whole(await pipe.execute())]

    async def announce(self, stock: Mapping[str, int]) -> None:
        """Publish what is left of these SKUs (keys.STOCK_CHANGED), for whoever shows it."""
        if stock:
            await self._client.publish(keys.STOCK_CHANGED, encode(list(stock.items())))

    async def apply(self, changes: Sequence[InventoryChange]) -> list[Restocked]:
        """Apply changes in order, in one pipeline; `firing` is who waited and is now served."""
        last = {change.sku: place for place, change in enumerate(changes)}
        async with self._client.pipeline(transaction=False) as pipe:
            for place, change in enumerate(changes):
                await self._queue(pipe, change, last[change.sku] == place)
            answers = await pipe.execute()
        if any(answer[0] < 0 for answer in answers):
            raise StoreEmptied
        ids = [i.decode() for answer in answers for i in answer[2:]]
        found = {s.subscription_id: s for s in await self._read(ids) if s}
        return [
            Restocked(
                change.sku,
                int(answer[1]),
                bool(answer[0]),
                [found[i.decode()] for i in answer[2:] if i.decode() in found],
            )
            for change, answer in zip(changes, answers, strict=True)
        ]

    async def _queue(self, pipe: Redis, change: InventoryChange, last: bool) -> None:
        sku = change.sku
        names = [keys.stock(sku), keys.stock_events(sku), keys.waiting(sku), keys.firing(sku)]
        await self._restock(
            keys=[*names, keys.STORE_READY], args=restock_args(change, last), client=pipe
        )

    async def fired(self, subscriptions: Sequence[Subscription]) -> None:
        """The requests of these are in Kafka: they no longer wait nor fire."""
        await self.end([msgspec.structs.replace(s, state="notified") for s in subscriptions])

    async def _read(self, ids: Sequence[str]) -> list[Subscription | None]:
        if not ids:
            return []
        names = [*(keys.subscription(i) for i in ids), keys.STORE_READY]
        values = whole(raw(await self._client.mget(names)))
        return [decode(Subscription, value) if value else None for value in values]


def restock_args(change: InventoryChange, last: bool) -> list[str | int]:
    """What restock.lua wants to know of a change; `last` of its SKU in the batch."""
    return [
        change.event_id,
        "" if change.available is None else change.available,
        "" if change.delta is None else change.delta,
        "" if change.version is None else change.version,
        _millis(change.occurred_at),
        int(last),
    ]


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
