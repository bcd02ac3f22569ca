"""Profiles in Redis: read by the batch, changed one at a time under a version."""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace
from redis.asyncio import Redis

from tocsin.errors import Refused, TocsinError
from tocsin.records import Profile, decode, encode
from tocsin.store import keys
from tocsin.store.client import raw, script
from tocsin.store.view import kept, whole

_TRIES = 20
_FOLLOWERS = keys.followers("")

Step = Callable[[Profile | None], Profile]
"""From the profile as it is (None: unknown) to what it shall be. May run more than once."""


class Profiles:
    """The view of the ``profiles`` topic. One key per person, and indexes for broadcasts of all
    people and of who follows which topic, which change in the same script as the profile.

    Whatever misses somebody in a store that was emptied raises `StoreEmptied`: it is not known
    then whether there is such a person.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._put = script(client, "profile_put")
        self._erase = script(client, "profile_erase")
        self._restore = script(client, "profile_restore")
        self._erased = script(client, "erased")

    async def beginning(self, prefix: str, most: int) -> list[str]:
        """The first of those user ids that begin so, in their order; one call."""
        start = prefix.encode()
        found = await self._client.zrangebylex(
            keys.PEOPLE, b"[" + start, b"[" + start + b"\xff", 0, most
        )
        return [name.decode() for name in raw(found) if name is not None]

    async def get_many(self, user_ids: Sequence[str]) -> list[Profile | None]:
        """One MGET; a place holds None where the user is unknown."""
        values = await self._read(user_ids)
        return [decode(Profile, value) if value else None for value in values]

    async def get(self, user_id: str) -> Profile | None:
        """One person, or None."""
        return (await self.get_many([user_id]))[0]

    async def known(self, user_ids: Sequence[str]) -> list[bool]:
        """Which of these there are. One MGET, nothing decoded."""
        return [value is not None for value in await self._read(user_ids)]

    async def _read(self, user_ids: Sequence[str]) -> Sequence[bytes | None]:
        if not user_ids:
            return []
        names = [*(keys.profile(u) for u in user_ids), keys.STORE_READY]
        return whole(raw(await self._client.mget(names)))

    async def change(self, user_id: str, step: Step) -> Profile:
        """Apply `step` to the current profile and store it as the next version.

        A step that returns what it was given stores nothing. It may run again when someone else
        was faster. Whatever it raises passes through.
        """
        found = (await self.change_many({user_id: step}))[0]
        if isinstance(found, TocsinError):
            raise found
        return found

    async def change_many(self, steps: Mapping[str, Step]) -> list[Profile | TocsinError]:
        """`change` for many people in two calls; in the place of one that failed, its error."""
        done: dict[str, Profile | TocsinError] = {}
        for _ in range(_TRIES):
            left = [user_id for user_id in steps if user_id not in done]
            if not left:
                break
            befores = await self.get_many(left)
            planned = {
                user_id: (before, _plan(steps[user_id], before))
                for user_id, before in zip(left, befores, strict=True)
            }
            done |= await self._store(planned)
        busy = Refused("busy", "is being changed by many at once; try again", 1)
        return [done.get(user_id, busy) for user_id in steps]

    async def _store(
        self, planned: Mapping[str, tuple[Profile | None, Profile | TocsinError]]
    ) -> dict[str, Profile | TocsinError]:
        """What came of it; those that somebody else changed in between are missing."""
        kept = {u: after for u, (before, after) in planned.items() if _settled(before, after)}
        moving = [
            (u, before, after)
            for u, (before, after) in planned.items()
            if u not in kept and isinstance(after, Profile)
        ]
        async with self._client.pipeline(transaction=False) as pipe:
            for _, before, after in moving:
                await self._put_one(before, after, pipe)
            stored = await pipe.execute()
        fresh = zip(moving, stored, strict=True)
        return kept | {user_id: after for (user_id, _, after), ok in fresh if ok}

    async def _put_one(
        self, before: Profile | None, after: Profile, client: Redis | None = None
    ) -> bool:
        """Whether it was stored; through a pipeline, whether it will be is not known yet."""
        version = before.version if before else 0
        names = [keys.profile(after.user_id), keys.PEOPLE]
        args: list[str | bytes | int] = [
            version, encode(after), after.user_id, _FOLLOWERS, *after.topics,
        ]  # fmt: skip
        return bool(await self._put(keys=names, args=args, client=client))

    async def put(self, profile: Profile) -> None:
        """Store as it stands, version and all, unless a newer one is there."""
        await self.restore([profile])

    async def restore(self, profiles: Sequence[Profile], rebuild: str = "") -> int:
        """`put` for many in one call; how many were stored. The indexes are right afterwards.

        With the token of a rebuild those erased since it began stay erased, and it raises
        `StoreEmptied` if the rebuild's lease is lost.
        """
        names = [keys.STORE_REBUILD, keys.STORE_ERASED, keys.PEOPLE]
        args: list[str | bytes | int] = [rebuild, _FOLLOWERS]
        for each in profiles:
            names.append(keys.profile(each.user_id))
            args += (each.user_id, each.version, encode(each))
        return kept(await self._restore(keys=names, args=args))

    async def delete(self, user_id: str) -> bool:
        """Forget a person, and no rebuild at work brings them back. True if there was one."""
        async with self._client.pipeline(transaction=True) as pipe:
            names = [keys.profile(user_id), keys.PEOPLE]
            await self._erase(keys=names, args=[user_id, _FOLLOWERS], client=pipe)
            names = [keys.STORE_REBUILD, keys.STORE_ERASED]
            await self._erased(keys=names, args=[user_id], client=pipe)
            return bool((await pipe.execute())[0])


def _plan(step: Step, before: Profile | None) -> Profile | TocsinError:
    try:
        after = step(before)
    except TocsinError as error:
        return error
    return (
        after if after is before else replace(after, version=(before.version if before else 0) + 1)
    )


def _settled(before: Profile | None, after: Profile | TocsinError) -> bool:
    return after is before or isinstance(after, TocsinError)
