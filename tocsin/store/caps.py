"""How often a person has been told of something: frequency caps, counted once per notification."""

from collections.abc import Sequence
from typing import NamedTuple

from redis.asyncio import Redis

from tocsin.store import keys
from tocsin.store.client import script


class Limit(NamedTuple):
    """At most `most` within `per_ms` milliseconds of what is counted under `name`."""

    name: str
    most: int
    per_ms: int


class Count(NamedTuple):
    """`refused` is the name of the limit that is reached, '' if none is; `counted` is how many were
    counted under it, or under the first limit with this one."""

    refused: str
    counted: int


class Caps:
    """Sliding windows by the store's clock. Every method is one call for any number of people."""

    def __init__(self, client: Redis) -> None:
        self._take = script(client, "cap_take")

    async def take(self, wanted: Sequence[tuple[str, str, Sequence[Limit]]]) -> list[Count]:
        """Count (user_id, notification_id, limits) unless one of its limits is reached.

        All of its limits or none: a refused one counts nowhere. A notification is counted once,
        however often it is asked for, so a batch that is read again changes nothing.
        """
        if not wanted:
            return []
        names: list[str] = []
        args: list[str | int] = []
        for user_id, notification_id, limits in wanted:
            names += [keys.cap(user_id, limit.name) for limit in limits]
            args += (notification_id, len(limits))
            for limit in limits:
                args += (limit.most, limit.per_ms)
        found = await self._take(keys=names, args=args)
        return [
            Count(limits[refused - 1].name if refused else "", counted)
            for (_, _, limits), refused, counted in zip(
                wanted, found[::2], found[1::2], strict=True
            )
        ]
