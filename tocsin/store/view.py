"""Is what the store says the whole of what the log says? A marker tells, and a rebuild sets it.

An emptied store looks like one that never heard of anybody. So a key says that the view is whole;
whoever misses something looks for that key in the same call, and finds out which of the two it is.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from redis.asyncio import Redis

from tocsin.errors import StoreEmptied
from tocsin.store import keys
from tocsin.store.client import script

LEASE_SECONDS: Final = 30.0
"""How long a rebuild that died keeps the next one waiting. Renew much more often."""

_LOST: Final = "it was emptied again meanwhile, or another rebuild took over; run `tocsin rebuild`"


def whole(found: Sequence[bytes | None]) -> Sequence[bytes | None]:
    """What a read found whose last key was `keys.STORE_READY`, less that one.

    Raises `StoreEmptied` where something is missing and the marker is, too.
    """
    *values, marker = found
    if marker is None and None in values:
        raise StoreEmptied
    return values


def kept(count: int) -> int:
    """A restoring script's answer. Raises `StoreEmptied` if it found the lease lost."""
    if count < 0:
        raise StoreEmptied(_LOST)
    return count


class View:
    """The marker, and the lease of the one rebuild that may be at work."""

    def __init__(self, client: Redis, lease_seconds: float = LEASE_SECONDS) -> None:
        self._client, self._lease_ms = client, int(lease_seconds * 1000)
        self._begin = script(client, "rebuild_begin")
        self._keep = script(client, "rebuild_keep")
        self._end = script(client, "rebuild_end")

    async def is_whole(self) -> bool:
        """Whether this store holds the view of the log."""
        return await self._client.exists(keys.STORE_READY) == 1

    async def require(self) -> None:
        """Raises `StoreEmptied` if it does not."""
        if not await self.is_whole():
            raise StoreEmptied

    async def begin(self, token: str) -> bool:
        """Take the lease of a rebuild. False while another has it."""
        names = [keys.STORE_REBUILD, keys.STORE_ERASED]
        return bool(await self._begin(keys=names, args=[token, self._lease_ms]))

    async def keep(self, token: str) -> None:
        """Renew it. Raises `StoreEmptied` if it is lost."""
        if not await self._keep(keys=[keys.STORE_REBUILD], args=[token, self._lease_ms]):
            raise StoreEmptied(_LOST)

    async def finish(self, token: str) -> None:
        """All is restored: the view is whole. Raises `StoreEmptied` if the lease is lost."""
        if not await self._give_back(token, datetime.now(UTC).isoformat()):
            raise StoreEmptied(_LOST)

    async def give_up(self, token: str) -> None:
        """Give the lease back as if nothing had been restored; lost already, it changes nothing."""
        await self._give_back(token, "")

    async def _give_back(self, token: str, since: str) -> bool:
        names = [keys.STORE_REBUILD, keys.STORE_ERASED, keys.STORE_READY]
        return bool(await self._end(keys=names, args=[token, since]))
