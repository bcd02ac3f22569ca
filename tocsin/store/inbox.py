"""The durable inbox: per person a short log of items, its position, and what is unread.

An inbox has a random `epoch`, made with it, and offsets 1, 2, 3 … that are never given twice in an
epoch. A reader that knows (epoch, offset) can ask for what came after; when the inbox was lost,
or has dropped items since, it is told so instead of being given a part.

An item lasts until its `expires_at`, by the store's clock. From then on it is in no answer and not
counted as unread; nobody is told so, for whoever shows it knows when it ends.

What people read, delete unread or acknowledge is put on record by the script that notes it, for the
books (store/engaged.py). Inboxes are in Redis alone.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from tocsin.errors import StoreEmptied
from tocsin.records import Channel, Condition, State, encode
from tocsin.store import keys
from tocsin.store.claims import SendResult
from tocsin.store.client import script

_NONE: Final[Mapping[str, str]] = {}
_NEVER: Final[Mapping[str, datetime]] = {}

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


class Changed(NamedTuple):
    """What a change came to: how many are unread now, and the ids that it changed."""

    unread: int
    ids: list[str]


class Inbox:
    """All inboxes. Every method is one call to Redis, for any number of people or items."""

    def __init__(self, client: Redis, cap: int = CAP, kept_seconds: int = KEPT_SECONDS) -> None:
        self._client = client
        self._cap, self._kept = str(cap), str(kept_seconds)
        self._append, self._resume, self._unread = _scripts(client, "append", "resume", "unread")
        self._page, self._get = _scripts(client, "page", "get")
        self._read = script(client, "inbox_expiry", "engaged", "inbox_read")
        self._delete = script(client, "inbox_expiry", "engaged", "inbox_delete")
        self._happened = script(client, "inbox_happened")
        self._ack = script(client, "engaged", "inbox_ack")

    async def append(
        self,
        items: Sequence[tuple[str, str, bytes]],
        off: Mapping[str, str] = _NONE,
        ends: Mapping[str, datetime] = _NEVER,
    ) -> list[Appended]:
        """Write (user_id, notification_id, JSON) in order. `off` is as of `Claims.take`; `ends` has
        by notification id when those that end are over, as their JSON says.

        Doing it again is harmless: an id keeps its first offset and its first JSON. What was taken
        back by then is not written, and of what is over only the place. Raises `StoreEmptied`.
        """
        if not items:
            return []
        names: list[str] = []
        args: list[str | bytes] = [_new_epoch(), self._cap, self._kept, _DELIVERED, _DELIVERED_FOR]
        over: list[str | int] = []
        for number, (user_id, notification_id, item) in enumerate(items, start=1):
            names += (keys.inbox(user_id), keys.inbox_items(user_id), keys.inbox_meta(user_id))
            names.append(keys.claim(f"{notification_id}:{Channel.INAPP}"))
            args += (notification_id, item)
            if at := ends.get(notification_id):
                over += (number, int(at.timestamp() * 1000))
        names += [keys.cancelled(off.get(name, name)) for _, name, _ in items]
        found = await self._append(keys=[*names, keys.STORE_READY], args=[*args, *over])
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
        self,
        user_id: str,
        status: Status = "all",
        cursor: int | None = None,
        limit: int = 50,
        types: Collection[str] = (),
    ) -> Page:
        """Up to `limit` items, newest first, older than `cursor`; with `types` of these only.

        `unread` counts all types.
        """
        args: list[str | int] = [status, "+inf" if cursor is None else cursor, limit, *types]
        count, more, *rest = await self._page(keys=_names(user_id), args=args)
        entries = [Entry(rest[i], rest[i + 1] == 1, rest[i + 2]) for i in range(0, len(rest), 3)]
        return Page(entries, entries[-1].offset if more and entries else None, count)

    async def get(self, user_id: str, notification_id: str) -> Entry | None:
        """One item, or None."""
        found = await self._get(keys=_names(user_id), args=[notification_id])
        return Entry(found[0], found[1] == 1, found[2]) if found else None

    async def mark_read(self, user_id: str, ids: Sequence[str] | None) -> Changed:
        """Mark these read, or with None all.

        Every shard hears of what this, `mark_unread` or `delete` changed (keys.INBOX_CHANGED), so
        the person's other devices follow.
        """
        args = [keys.INBOX_CHANGED, user_id, "all" if ids is None else "ids", *(ids or ())]
        return _changed(await self._read(keys=[*_names(user_id), keys.ENGAGED], args=args))

    async def mark_unread(self, user_id: str, ids: Sequence[str]) -> Changed:
        """Have these count as unread again, for a cascade too."""
        args = [keys.INBOX_CHANGED, user_id, *ids]
        return _changed(await self._unread(keys=_names(user_id), args=args))

    async def delete(self, user_id: str, ids: Sequence[str]) -> Changed:
        """Forget the content of these; their places stay."""
        args = [keys.INBOX_CHANGED, user_id, *ids]
        return _changed(await self._delete(keys=[*_names(user_id), keys.ENGAGED], args=args))

    async def ack(self, acks: Sequence[tuple[str, str, int]]) -> None:
        """Some device of (user_id) keeps everything of (epoch) up to (offset)."""
        if acks:
            names = [name for user_id, _, _ in acks for name in _names(user_id)[:3]]
            args = [part for ack in acks for part in ack]
            await self._ack(keys=[*names, keys.ENGAGED], args=args)

    async def happened(self, asked: Sequence[tuple[str, str, Condition]]) -> list[bool]:
        """Whether a person (user_id) has acknowledged or read a notification in-app."""
        if not asked:
            return []
        names = [n for user, _, _ in asked for n in (keys.inbox(user), keys.inbox_meta(user))]
        args = [part for _, name, what in asked for part in (name, what.value)]
        return [bool(each) for each in await self._happened(keys=names, args=args)]

    async def erase(self, user_id: str) -> bool:
        """Remove a person's inbox, places and all. True if there was one."""
        return bool(await self._client.delete(*_names(user_id)))


def _scripts(client: Redis, *names: str) -> list[AsyncScript]:
    return [script(client, "inbox_expiry", f"inbox_{name}") for name in names]


def _names(user_id: str) -> tuple[str, str, str, str]:
    return (
        keys.inbox(user_id),
        keys.inbox_items(user_id),
        keys.inbox_meta(user_id),
        keys.inbox_expiry(user_id),
    )


def _changed(answer: Sequence[Any]) -> Changed:
    unread, *ids = answer
    return Changed(int(unread), [i.decode() for i in ids])


def _new_epoch() -> str:
    return secrets.token_hex(8)
