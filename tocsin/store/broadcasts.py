"""How far broadcasts have come: one hash each, a view that the log alone moves on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Literal

import msgspec
from redis.asyncio import Redis

from tocsin.records import Page
from tocsin.store import keys
from tocsin.store.cancellations import KEPT
from tocsin.store.client import script

KEEP_SECONDS: Final = 30 * 86_400
"""How long after the last sign of life a broadcast is remembered."""


class Claimed(StrEnum):
    """MINE: the record at this place brought the broadcast. OTHER: another one did, and it alone
    is acted on."""

    MINE = "mine"
    OTHER = "other"
    CANCELLED = "cancelled"


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """`looked_at` people were looked at, `told` of them passed and were handed on, after the last
    page that is complete. `people` is the size of what is gone through (all of them, or a topic's
    followers), known once it has begun; `percent` is the part of it that was looked at."""

    broadcast_id: str
    state: Literal["waiting", "running", "done", "cancelled"]
    looked_at: int
    told: int
    people: int | None = None
    percent: float | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Broadcasts:
    """Claims, ends and progress of broadcasts; their pages are `store.audience`'s."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._claim = script(client, "broadcast_claim")
        self._end = script(client, "broadcast_end")
        self._cancel = script(client, "broadcast_cancel")

    async def note(self, broadcast_id: str) -> None:
        """Have it known as waiting, before its record is read."""
        name = keys.broadcast(broadcast_id)
        async with self._client.pipeline(transaction=True) as pipe:
            await pipe.hsetnx(name, "state", "waiting")
            await pipe.expire(name, KEEP_SECONDS)
            await pipe.execute()

    async def claim(self, brought: Sequence[tuple[str, str]], now: datetime) -> list[Claimed]:
        """How (broadcast_id, place of its record) pairs stand, in one call."""
        if not brought:
            return []
        names = [k for i, _ in brought for k in (keys.broadcast(i), keys.cancelled(i))]
        args: list[str | int] = [millis(now), KEEP_SECONDS, *(place for _, place in brought)]
        return [Claimed(each.decode()) for each in await self._claim(keys=names, args=args)]

    async def end(self, last: Page, place: str, looked_at: int, told: int, now: datetime) -> None:
        """Page `last`, from `place`, was the last one; the totals include it."""
        names = [keys.broadcast(last.broadcast.broadcast_id)]
        args: list[str | int] = [last.number, place, looked_at, told, millis(now), KEEP_SECONDS]
        await self._end(keys=names, args=args)

    async def cancel(self, broadcast_id: str, now: datetime) -> None:
        """No further page begins; whoever sends looks at the key that is left."""
        names = [keys.broadcast(broadcast_id), keys.cancelled(broadcast_id)]
        await self._cancel(keys=names, args=[millis(now), KEEP_SECONDS, int(KEPT.total_seconds())])

    async def progress(self, broadcast_id: str) -> Progress | None:
        """How far it has come, or None if nothing is known of it."""
        found = await self._client.hgetall(keys.broadcast(broadcast_id))
        there = {_text(name): _text(value) for name, value in found.items()}
        return _progress(broadcast_id, there) if "state" in there else None


def _progress(broadcast_id: str, there: dict[str, str]) -> Progress:
    looked_at = int(there.get("looked_at", 0))
    people = int(there["people"]) if "people" in there else None
    return msgspec.convert(
        {
            "broadcast_id": broadcast_id,
            "state": there["state"],
            "looked_at": looked_at,
            "told": int(there.get("told", 0)),
            "people": people,
            "percent": _percent(looked_at, people, there["state"]),
            "started_at": _instant(there.get("started_at")),
            "ended_at": _instant(there.get("ended_at")),
        },
        Progress,
    )


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()


def _percent(looked_at: int, people: int | None, state: str) -> float | None:
    """People come and go meanwhile, so a sum may not come out even; done is done."""
    if state == "done":
        return 100.0
    if people is None:
        return None
    return round(min(100 * looked_at / people, 100), 1) if people else 100.0


def _instant(at: str | None) -> datetime | None:
    return datetime.fromtimestamp(int(at) / 1000, UTC) if at else None


def millis(at: datetime) -> int:
    """An instant as the store's scripts take it."""
    return int(at.timestamp() * 1000)
