"""Whose link a person followed last, and so which message a sale is owed to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from redis.asyncio import Redis

from tocsin.records import encode
from tocsin.store import keys
from tocsin.store.client import raw, script

WINDOW: Final = timedelta(days=7)
"""A sale is owed to the last click of so long before it."""

REMEMBERED: Final = timedelta(days=30)
"""A reference told again within this is the same sale, to the same message."""


class Message(msgspec.Struct, frozen=True, array_like=True):
    """The message on one channel; the channel is empty where nobody said which."""

    notification_id: str
    channel: str = ""
    type: str = ""


class Sale(NamedTuple):
    """Somebody bought something. `owed_to` where it is known; else the last click decides."""

    user_id: str
    at: datetime
    reference: str = ""
    value: float = 0
    currency: str = ""
    owed_to: Message | None = None


_decode = msgspec.json.Decoder(Message).decode


class Clicks:
    """One key a person, for a week. Lost with the store: sales are owed to later clicks then."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._click, self._owed = script(client, "click"), script(client, "owed")

    async def remember(self, user_id: str, at: datetime, message: Message) -> None:
        """A person, not a machine, has followed a link in it. One told late, of before the last
        one, changes nothing."""
        args: list[int | bytes] = [
            _milliseconds(at), encode(message), int(WINDOW.total_seconds())
        ]  # fmt: skip
        await self._click(keys=[keys.clicked(user_id)], args=args)

    async def owed(self, sales: Sequence[Sale]) -> list[Message | None]:
        """The message each is owed to, if any; in one call. Asked again, it says the same of what
        has a reference."""
        if not sales:
            return []
        names, args = [], [WINDOW // timedelta(milliseconds=1), int(REMEMBERED.total_seconds())]
        rest: list[int | bytes] = []
        for sale in sales:
            settled = keys.converted(sale.reference) if sale.reference else ""
            names += [keys.clicked(sale.user_id), settled]
            rest += [_milliseconds(sale.at), encode(sale.owed_to) if sale.owed_to else b""]
        found = raw(await self._owed(keys=names, args=[*args, *rest]))
        return [_decode(each) if each else None for each in found]

    async def erase(self, user_id: str) -> None:
        """Forget it; references name nobody."""
        await self._client.delete(keys.clicked(user_id))


def _milliseconds(at: datetime) -> int:
    return max(0, round(at.timestamp() * 1_000))
