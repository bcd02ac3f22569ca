"""Finding people and notifications, and what a person was told."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from redis.asyncio import Redis

from api.ops.books import Books, Row
from api.ops.fresh import AWAY
from api.trace import utc
from tocsin.errors import Invalid
from tocsin.records import CHANNELS, State
from tocsin.store import Profiles

_FOUND: Final = 10
_FIRST: Final = (2**62, "")
_CURSOR = re.compile(r"(\d{1,18})-(.{1,160})", re.DOTALL).fullmatch
_SHOWN: Final[Mapping[str, str]] = {State.RETRY: "retrying", State.ROUTED: "accepted"}


class UserFound(msgspec.Struct, frozen=True):
    """A person whose id begins as asked."""

    user_id: str


class NotificationFound(msgspec.Struct, frozen=True):
    """A notification whose id begins as asked."""

    notification_id: str
    user_id: str
    type: str
    accepted_at: datetime


class SearchFound(msgspec.Struct, frozen=True):
    """At most ten of each; null is not known now."""

    users: list[UserFound] | None
    notifications: list[NotificationFound] | None


class DeliveryStanding(msgspec.Struct, frozen=True):
    """Where a delivery is, on record."""

    state: str
    reason: str
    provider: str
    at: datetime


class NotificationTold(msgspec.Struct, frozen=True):
    """One notification and its deliveries by channel; none before it is routed."""

    notification_id: str
    type: str
    accepted_at: datetime
    channels: dict[str, DeliveryStanding]


class PersonTold(msgspec.Struct, frozen=True):
    """Newest first; `cursor` asks for the next page, null on the last."""

    notifications: list[NotificationTold]
    cursor: str | None


class History:
    """Reads from the store and the books."""

    def __init__(self, books: Books, redis: Redis) -> None:
        self._books, self._profiles = books, Profiles(redis)

    async def search(self, query: str) -> SearchFound:
        """People and notifications by the beginning of their ids; the id of a delivery will do."""
        name, _, channel = query.rpartition(":")
        return SearchFound(
            await self._people(query),
            await self._notifications(name if name and channel in CHANNELS else query),
        )

    async def of_user(self, user_id: str, limit: int, cursor: str | None) -> PersonTold:
        """A page of what was asked for about a person. Raises `EngineUnavailable`, and `Invalid`
        for a cursor of somebody's own making."""
        rows = await self._books.of_user(user_id, place_of(cursor), limit + 1)
        page = rows[:limit]
        states = await self._books.states([row["notification_id"] for row in page])
        last = page[-1] if len(rows) > limit else None
        return PersonTold(
            [_told(row, states[row["notification_id"]]) for row in page],
            cursor_of(last) if last else None,
        )

    async def _people(self, prefix: str) -> list[UserFound] | None:
        try:
            return [UserFound(name) for name in await self._profiles.beginning(prefix, _FOUND)]
        except AWAY:
            return None

    async def _notifications(self, prefix: str) -> list[NotificationFound] | None:
        try:
            rows = await self._books.search(prefix, _FOUND)
        except AWAY:
            return None
        return [
            NotificationFound(
                row["notification_id"], row["whose"], row["kind"], utc(row["accepted"])
            )
            for row in rows
        ]


def _told(row: Row, states: Mapping[str, Row]) -> NotificationTold:
    channels = {
        channel: DeliveryStanding(
            _SHOWN.get(found["station"], found["station"]),
            found["reason"],
            found["provider"],
            utc(found["at"]),
        )
        for channel, found in states.items()
    }
    return NotificationTold(row["notification_id"], row["kind"], utc(row["accepted_at"]), channels)


def cursor_of(row: Row) -> str:
    """After this row the next page begins."""
    at: datetime = utc(row["accepted_at"])
    return f"{round(at.timestamp() * 1000)}-{row['notification_id']}"


def place_of(cursor: str | None) -> tuple[int, str]:
    """The inverse. Raises `Invalid`."""
    if cursor is None:
        return _FIRST
    match = _CURSOR(cursor)
    if match is None:
        raise Invalid("cursor", "is not one of ours")
    return int(match[1]), match[2]
