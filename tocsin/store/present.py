"""Who is connected now, as the registry of the shards has it (store/registry.py).

A view that the shards own and that is right but for a moment: somebody who has just come or gone
may be missed. A shard whose lease is over counts for nothing.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from redis.asyncio import Redis

from tocsin.store import keys
from tocsin.store.client import raw

COUNTED: Final = 50_000
"""Up to so many places people are counted each once: that is one pass over all the names."""

_CHUNK: Final = 1_000


class Count(NamedTuple):
    """How many people are connected. Not `exact`: who is on two shards is counted twice."""

    people: int
    exact: bool


class Members(NamedTuple):
    """Some of a topic's followers who are connected, in the order of their ids; `cursor` asks for
    those after them, None when there are no more."""

    user_ids: Sequence[str]
    cursor: str | None


class Present:
    """Reads; every method is a few calls to Redis, whatever the number of people."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def connected(self, user_ids: Sequence[str]) -> list[str]:
        """Those of them who have a socket somewhere, in their order."""
        shards = await self._live() if user_ids else []
        return await self._among(user_ids, shards)

    async def followers(self, topic: str, after: str, most: int) -> Members:
        """The first `most` connected followers of a topic after the id `after` ('': from the
        start)."""
        shards = await self._live()
        found: list[str] = []
        while shards:
            start = f"({after}" if after else "-"
            names = await self._client.zrangebylex(keys.followers(topic), start, "+", 0, _CHUNK)
            chunk = [name.decode() for name in raw(names) if name is not None]
            found += await self._among(chunk, shards)
            if len(found) > most:
                return Members(found[:most], found[most - 1])
            if len(chunk) < _CHUNK:
                break
            after = chunk[-1]
        return Members(found, None)

    async def count(self) -> Count:
        """All who are connected."""
        shards = await self._live()
        if not shards:
            return Count(0, True)
        names = [keys.shard_users(shard) for shard in shards]
        async with self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.scard(name)
            places = sum(await pipe.execute())
        if len(names) == 1 or places > COUNTED:
            return Count(places, len(names) == 1)
        return Count(len(raw(list(await self._client.sunion(names)))), True)

    async def _live(self) -> list[str]:
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.zrange(keys.SHARDS, 0, -1, withscores=True)
            (seconds, micros), leases = await pipe.execute()
        now = seconds * 1000 + micros // 1000
        return [shard.decode() for shard, ends in leases if ends > now]

    async def _among(self, user_ids: Sequence[str], shards: Sequence[str]) -> list[str]:
        if not user_ids or not shards:
            return []
        async with self._client.pipeline(transaction=False) as pipe:
            for shard in shards:
                pipe.smismember(keys.shard_users(shard), list(user_ids))
            there = await pipe.execute()
        return [
            user
            for user, flags in zip(user_ids, zip(*there, strict=True), strict=True)
            if any(flags)
        ]
