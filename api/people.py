"""Changing people: the view under a version first, then the log, then the answer."""

from collections.abc import Mapping

from api.publish import Publish
from tocsin.errors import Invalid, Refused, StoreEmptied, TocsinError
from tocsin.records import Profile, encode
from tocsin.store import Profiles
from tocsin.store.profiles import Step
from tocsin.topics import PROFILES


class People:
    """Every change of a profile goes through here, so that log and view end up the same.

    Two changes of one person may reach the log in the wrong order. So whoever has written looks
    again: if the view moved on meanwhile, be it that the person was erased, the newer state is
    written too. Whoever looks last sees the newest, hence the log ends with it.
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
        await self._settle({p.user_id: p for p in found if isinstance(p, Profile)})
        return found

    async def erase(self, user_id: str) -> bool:
        """A tombstone in the log, then the view. True if there was such a person."""
        await self._publish.one(PROFILES, user_id, None)
        there = await self._profiles.delete(user_id)
        await self._follow({user_id: None})
        return there

    async def _settle(self, written: Mapping[str, Profile | None]) -> None:
        """Write these to the log, None as a tombstone, and then what they have become."""
        lines = ((user, encode(p) if p else None) for user, p in written.items())
        await self._publish.many(PROFILES, lines)
        await self._follow(written)

    async def _follow(self, written: Mapping[str, Profile | None]) -> None:
        now = await self._profiles.get_many(list(written))
        both = zip(written.items(), now, strict=True)
        if moved := {user: after for (user, before), after in both if _moved(before, after)}:
            await self._settle(moved)


def _moved(written: Profile | None, now: Profile | None) -> bool:
    """Whether the view is further than what was written last. Raises `StoreEmptied` when it has
    fallen back: emptied, and rebuilt from before it was written. Then it counts for nothing."""
    if written == now:
        return False
    if written and now and written.created_at == now.created_at and now.version <= written.version:
        raise StoreEmptied("it was rebuilt meanwhile; nothing is certain to be kept, so ask again")
    return True


def known(profile: Profile | None, user_id: str) -> Profile:
    """The profile, or `Refused` (404)."""
    if profile is None:
        raise Refused("not_found", f"there is no user {user_id!r}")
    return profile


def unknown_user(user_id: str) -> Invalid:
    """The same, where the person is named in a body."""
    return Invalid("user_id", f"there is no user {user_id!r}; register with POST /v1/users first")
