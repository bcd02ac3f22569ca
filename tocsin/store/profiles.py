"""Profiles in Redis: read by the batch, changed one at a time under a version."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace
from redis.asyncio import Redis

from tocsin.errors import Refused
from tocsin.records import Profile, decode, encode
from tocsin.store import keys
from tocsin.store.client import raw, script

_TRIES = 20


class Profiles:
    """The view of the ``profiles`` topic. One key per person."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._put = script(client, "profile_put")

    async def get_many(self, user_ids: Sequence[str]) -> list[Profile | None]:
        """One MGET; a place holds None where the user is unknown."""
        if not user_ids:
            return []
        values = raw(await self._client.mget([keys.profile(u) for u in user_ids]))
        return [decode(Profile, value) if value else None for value in values]

    async def get(self, user_id: str) -> Profile | None:
        """One person, or None."""
        return (await self.get_many([user_id]))[0]

    async def change(self, user_id: str, step: Callable[[Profile | None], Profile]) -> Profile:
        """Apply `step` to the current profile and store it as the next version.

        `step` may run again when someone else was faster. Whatever it raises passes through.
        """
        for _ in range(_TRIES):
            before = await self.get(user_id)
            after = step(before)
            version = before.version if before else 0
            stored = _numbered(after, version + 1)
            if await self._put(keys=[keys.profile(user_id)], args=[version, encode(stored)]):
                return stored
        raise Refused("busy", f"user {user_id} is being changed by many at once; try again", 1)

    async def put(self, profile: Profile) -> None:
        """Store as it stands, version and all (rebuild from the log)."""
        await self._client.set(keys.profile(profile.user_id), encode(profile))

    async def delete(self, user_id: str) -> bool:
        """Forget a person. True if there was one."""
        return bool(await self._client.delete(keys.profile(user_id)))


def _numbered(profile: Profile, version: int) -> Profile:
    return replace(profile, version=version)
