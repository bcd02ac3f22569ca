"""The durable inbox: per person a short log of items, its position, and what is unread.

An inbox has a random `epoch`, made with it, and offsets 1, 2, 3 … that are never given twice in an
epoch. A reader that knows (epoch, offset) can ask for what came after; when the inbox was lost,
or has dropped items since, it is told so instead of being given a part.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from redis.asyncio import Redis

from tocsin.errors import StoreEmptied
from tocsin.records import Channel, Condition, State, encode
from tocsin.store import keys
from tocsin.store.claims import SendResult
from tocsin.store.client import script

_NONE: Final[Mapping[str, str]] = {}

CAP: Final = 200
"""Items kept per person; the oldest goes first. Deleted ones count until they drop out."""

KEPT_SECONDS: Final = 30 * 86_400
"""An inbox nothing was added to for so long is gone."""

_DELIVERED: Final = b"r:1:" + encode(SendResult("", State.DELIVERED, provider="inbox"))
"""In the claims (store/claims.py), so that whoever cancels sees that it is too late."""

_DELIVERED_FOR: Final = str(6 * 3600)

Status = Literal["all", "unread", "read"]


class Appended(NamedTuple):
    """Where an item stands. `fresh` is False when this notification was in the inbox before, and
    when it was taken back (store/cancellations.py): then it is not there, and `offset` is 0."""

    epoch: str
    offset: int
    unread: int
    fresh: bool

    @property
    def cancelled(self) -> bool:
        return self.offset == 0


class Resumed(NamedTuple):
    """Where an inbox stands; `items` after the asked position, None if some of them are gone."""

    epoch: str
    offset: int
    unread: int
    items: list[tuple[int, bytes]] | None


class Entry(NamedTuple):
    """One item as stored."""

    offset: int
    unread: bool
    item: bytes


class Page(NamedTuple):
    """Newest first; `cursor` asks for the next page, None when this is the last."""

    entries: list[Entry]
    cursor: int | None
    unread: int


class Inbox:
    """All inboxes. Every method is one call to Redis, for any number of people or items."""

    def __init__(self, client: Redis, cap: int = CAP, kept_seconds: int = KEPT_SECONDS) -> None:
        self._client = client
        self._cap, self._kept = str(cap), str(kept_seconds)
        self._append = script(client, "inbox_append")
        self._resume = script(client, "inbox_resume")
        self._page = script(client, "inbox_page")
        self._read = script(client, "inbox_read")
        self._delete = script(client, "inbox_delete")
        self._happened = script(client, "inbox_happened")
        self._ack = script(client, "inbox_ack")

    async def append(
        self, items: Sequence[tuple[str, str, bytes]], off: Mapping[str, str] = _NONE
    ) -> list[Appended]:
        """Write (user_id, notification_id, JSON) in order. `off` is as of `Claims.take`.

        Doing it again is harmless: an id keeps its first offset and its first JSON. What was taken
        back by then is not written. Raises `StoreEmptied`.
        """
        if not items:
            return []
        names: list[str] = []
        args: list[str | bytes] = [_new_epoch(), self._cap, self._kept, _DELIVERED, _DELIVERED_FOR]
        for user_id, notification_id, item in items:
            names += _names(user_id)
            names.append(keys.claim(f"{notification_id}:{Channel.INAPP}"))
            args += (notification_id, item)
        names += [keys.cancelled(off.get(name, name)) for _, name, _ in items]
        found = await self._append(keys=[*names, keys.STORE_READY], args=args)
        if not found:
            raise StoreEmptied
        return [
            Appended(found[i].decode(), found[i + 1], found[i + 2], found[i + 3] == 1)
            for i in range(0, len(found), 4)
        ]

    async def resume(self, user_id: str, epoch: str = "", offset: int = 0) -> Resumed:
        """Where the inbox stands, and the items after (`epoch`, `offset`), oldest first.

        Without `epoch` no items are given. An inbox that is not there gets its epoch now.
        """
        args: list[str | int] = [_new_epoch(), self._kept, epoch, offset]
        now, newest, unread, whole, *rest = await self._resume(keys=_names(user_id), args=args)
        items = list(zip(rest[::2], rest[1::2], strict=True)) if whole else None
        return Resumed(now.decode(), newest, unread, items)

    async def since(self, user_id: str, epoch: str, offset: int) -> list[tuple[int, bytes]] | None:
        """The (offset, JSON) after a position, oldest first. None: the gap cannot be filled."""
        return (await self.resume(user_id, epoch, offset)).items

    async def page(
        self, user_id: str, status: Status = "all", cursor: int | None = None, limit: int = 50
    ) -> Page:
        """Up to `limit` items, newest first, older than `cursor`."""
        args: list[str | int] = [status, "+inf" if cursor is None else cursor, limit]
        count, more, *rest = await self._page(keys=_names(user_id), args=args)
        entries = [Entry(rest[i], rest[i + 1] == 1, rest[i + 2]) for i in range(0, len(rest), 3)]
        return Page(entries, entries[-1].offset if more and entries else None, count)

    async def get(self, user_id: str, notification_id: str) -> Entry | None:
        """One item, or None."""
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.zscore(keys.inbox(user_id), notification_id)
            pipe.hget(keys.inbox_items(user_id), notification_id)
            score, item = await pipe.execute()
        return Entry(int(score), score == int(score), item) if score and item else None

    async def mark_read(self, user_id: str, ids: Sequence[str] | None) -> tuple[int, list[str]]:
        """Mark these read, or with None all. (unread left, ids that became read just now).

        Every shard hears of it (keys.INBOX_CHANGED), so the person's other devices follow.
        """
        args = [keys.INBOX_CHANGED, user_id, "all" if ids is None else "ids", *(ids or ())]
        names = [keys.inbox(user_id), keys.inbox_meta(user_id)]
        unread, *changed = await self._read(keys=names, args=args)
        return int(unread), [i.decode() for i in changed]

    async def ack(self, acks: Sequence[tuple[str, str, int]]) -> None:
        """Some device of (user_id) keeps everything of (epoch) up to (offset)."""
        if acks:
            names = [keys.inbox_meta(user_id) for user_id, _, _ in acks]
            args = [part for _, epoch, offset in acks for part in (epoch, offset)]
            await self._ack(keys=names, args=args)

    async def happened(self, asked: Sequence[tuple[str, str, Condition]]) -> list[bool]:
        """Whether a person (user_id) has acknowledged or read a notification in-app."""
        if not asked:
            return []
        names = [n for user, _, _ in asked for n in (keys.inbox(user), keys.inbox_meta(user))]
        args = [part for _, name, what in asked for part in (name, what.value)]
        return [bool(each) for each in await self._happened(keys=names, args=args)]

    async def delete(self, user_id: str, ids: Sequence[str]) -> list[str]:
        """Forget the content of these; the ids that were there."""
        if not ids:
            return []
        return [i.decode() for i in await self._delete(keys=_names(user_id), args=list(ids))]

    async def erase(self, user_id: str) -> bool:
        """Remove a person's inbox, places and all. True if there was one."""
        return bool(await self._client.delete(*_names(user_id)))


def _names(user_id: str) -> tuple[str, str, str]:
    return keys.inbox(user_id), keys.inbox_items(user_id), keys.inbox_meta(user_id)


def _new_epoch() -> str:
    return secrets.token_hex(8)
