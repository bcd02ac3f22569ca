"""Who a broadcast is for, page by page, in the order of their ids."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from redis.asyncio import Redis

from tocsin.records import Audience, Page
from tocsin.records.broadcast import ADMINS
from tocsin.store import keys
from tocsin.store.broadcasts import KEEP_SECONDS, millis
from tocsin.store.client import script


class Verdict(StrEnum):
    """GO: these are the people. STALE: another record has this page, or it is over. EMPTIED: the
    store lost what it had and is not rebuilt, so nobody can say who the people are."""

    GO = "go"
    STALE = "stale"
    CANCELLED = "cancelled"
    EMPTIED = "emptied"


class Turn(NamedTuple):
    """What became of asking for a page. `user_ids` are sorted by their bytes; fewer than asked for
    mean that they are the last."""

    verdict: Verdict
    user_ids: Sequence[str] = ()


class Audiences:
    """Reads the indexes that `Profiles` keeps. Whoever is registered when a broadcast begins and
    stays so is on exactly one of its pages, whatever happens around them."""

    def __init__(self, client: Redis) -> None:
        self._page = script(client, "audience_page")

    async def page(self, page: Page, place: str, most: int, now: datetime) -> Turn:
        """Begin `page`, which came with the record at `place`: at most `most` people, in one call.

        The same place may ask again; any other place that brings the same page gets STALE.
        """
        broadcast = page.broadcast
        names = [
            index_of(broadcast.audience),
            keys.broadcast(broadcast.broadcast_id),
            keys.cancelled(broadcast.broadcast_id),
            keys.STORE_READY,
        ]
        args: list[str | int] = [
            page.number, place, page.looked_at, page.told, page.after, most, millis(now),
            KEEP_SECONDS,
        ]  # fmt: skip
        verdict, *user_ids = await self._page(keys=names, args=args)
        return Turn(Verdict(verdict.decode()), [user_id.decode() for user_id in user_ids])


def index_of(audience: Audience) -> str:
    """The key of the sorted set that all of an audience are in."""
    if audience.admins:
        return keys.followers(ADMINS)
    return keys.PEOPLE if audience.topic is None else keys.followers(audience.topic)
