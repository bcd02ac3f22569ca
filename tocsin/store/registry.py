"""Who is connected where: per shard a set of people, and a lease that says the shard lives.

The sets are a view that the shards own. A shard whose lease is over is ignored at once and its set
removed by the next shard that renews. It is a hint where to push, never a truth about delivery.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from redis.asyncio import Redis

from tocsin.store import keys
from tocsin.store.client import script

LEASE_SECONDS: Final = 15.0
"""Renew about three times as often."""


class Registry:
    """The registry as one shard sees it. One instance per shard, one shard per name."""

    def __init__(self, client: Redis, shard: str, lease_seconds: float = LEASE_SECONDS) -> None:
        self._client, self._shard = client, shard
        self._lease_ms = int(lease_seconds * 1000)
        self._lease = script(client, "shard_lease")
        self._bury = script(client, "shard_bury")
        self._known: tuple[str, ...] = ()

    async def renew(self) -> bool:
        """Prolong our lease and remove the shards whose lease is over.

        False when ours was over too (or the store lost it): our set may be gone, so `join` everyone
        who is connected again.
        """
        held, *dead = await self._lease(keys=[keys.SHARDS], args=[self._shard, self._lease_ms])
        for name in dead:
            shard = name.decode()
            await self._bury(keys=[keys.SHARDS, keys.shard_users(shard)], args=[shard])
        return bool(held)

    async def reset(self) -> None:
        """Forget what an earlier process of our name left, and take the lease."""
        await self._client.delete(keys.shard_users(self._shard))
        await self.renew()

    async def quit(self) -> None:
        """Give the lease and the set back."""
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.zrem(keys.SHARDS, self._shard)
            pipe.delete(keys.shard_users(self._shard))
            await pipe.execute()

    async def join(self, user_ids: Collection[str]) -> None:
        """These have a socket here."""
        await self.update(user_ids, ())

    async def leave(self, user_ids: Collection[str]) -> None:
        """These have none here any more."""
        await self.update((), user_ids)

    async def update(self, joined: Collection[str], left: Collection[str]) -> None:
        """Both in one call."""
        name = keys.shard_users(self._shard)
        async with self._client.pipeline(transaction=False) as pipe:
            if joined:
                pipe.sadd(name, *joined)
            if left:
                pipe.srem(name, *left)
            await pipe.execute()

    async def where(self, user_ids: Sequence[str]) -> list[list[str]]:
        """For each person the live shards that hold a socket of theirs, ours left out.

        One round trip; a second one only when a shard appears that was not known before.
        """
        if not user_ids:
            return []
        found: list[list[str]] = [[] for _ in user_ids]
        live = _fill(found, *await self._ask(self._known, user_ids))
        if news := tuple(shard for shard in live if shard not in self._known):
            _fill(found, *await self._ask(news, user_ids))
        self._known = tuple(live)
        return found

    async def _ask(
        self, shards: Iterable[str], user_ids: Sequence[str]
    ) -> tuple[set[str], dict[str, list[int]]]:
        shards = list(shards)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.zrange(keys.SHARDS, 0, -1, withscores=True)
            for shard in shards:
                pipe.smismember(keys.shard_users(shard), list(user_ids))
            (seconds, micros), leases, *members = await pipe.execute()
        live = _live(leases, seconds * 1000 + micros // 1000) - {self._shard}
        return live, dict(zip(shards, members, strict=True))


async def living(client: Redis) -> list[str]:
    """Every shard whose lease runs, in one call."""
    async with client.pipeline(transaction=False) as pipe:
        pipe.time()
        pipe.zrange(keys.SHARDS, 0, -1, withscores=True)
        (seconds, micros), leases = await pipe.execute()
    return sorted(_live(leases, seconds * 1000 + micros // 1000))


def _live(leases: Iterable[Any], now_ms: int) -> set[str]:
    return {shard.decode() for shard, ends in leases if ends > now_ms}


def _fill(found: list[list[str]], live: set[str], members: dict[str, list[int]]) -> set[str]:
    for shard, flags in members.items():
        if shard in live:
            for place, there in zip(found, flags, strict=True):
                if there:
                    place.append(shard)
    return live
