"""Changing people: the view under a version first, then the log, then the answer."""

from collections.abc import Mapping, Sequence

from api.publish import Publish
from tocsin.errors import Invalid, Refused, TocsinError
from tocsin.records import Profile, encode
from tocsin.store import Profiles
from tocsin.store.profiles import Step
from tocsin.topics import PROFILES


class People:
    """Every change of a profile goes through here, so that log and view end up the same.

    Two changes of one person may reach the log in the wrong order. So whoever has written looks
    again: if the view moved on meanwhile, the newer state is written too. Whoever looks last
    sees the newest, hence the log ends with it.
    """

    def __init__(self, profiles: Profiles, publish: Publish) -> None:
        self._profiles, self._publish = profiles, publish

    async def change(self, user_id: str, step: Step) -> Profile:
        """`Profiles.change`, durable in the log when it returns."""
        found = (await self.change_many({user_id: step}))[0]
        if isinstance(found, TocsinError):
            raise found
        return found

    async def change_many(self, steps: Mapping[str, Step]) -> list[Profile | TocsinError]:
        """`Profiles.change_many`, durable in the log when it returns.

        What a step left as it was is written again all the same: an earlier attempt may have died
        between the view and the log, and this is its retry.
        """
        found = await self._profiles.change_many(steps)
        await self._settle([p for p in found if isinstance(p, Profile)])
        return found

    async def erase(self, user_id: str) -> bool:
        """A tombstone in the log, then the view. True if there was such a person."""
        await self._publish.one(PROFILES, user_id, None)
        there = await self._profiles.delete(user_id)
        if again := await self._profiles.get(user_id):  # registered anew in the meantime
            await self._settle([again])
        return there

    async def _settle(self, profiles: Sequence[Profile]) -> None:
        written = list(profiles)
        while written:
            await self._publish.many(PROFILES, ((p.user_id, encode(p)) for p in written))
            now = await self._profiles.get_many([p.user_id for p in written])
            written = [
                after
                for before, after in zip(written, now, strict=True)
                if after is not None and after.version != before.version
            ]


def known(profile: Profile | None, user_id: str) -> Profile:
    """The profile, or `Refused` (404)."""
    if profile is None:
        raise Refused("not_found", f"there is no user {user_id!r}")
    return profile


def unknown_user(user_id: str) -> Invalid:
    """The same, where the person is named in a body."""
    return Invalid("user_id", f"there is no user {user_id!r}; register with POST /v1/users first")
