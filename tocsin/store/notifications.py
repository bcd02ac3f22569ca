"""Which notifications were seen: the router's dedupe, one script call per batch."""

from collections.abc import Sequence
from enum import StrEnum

from redis.asyncio import Redis

from tocsin.records import NotificationRequest
from tocsin.store import keys
from tocsin.store.client import script


class Seen(StrEnum):
    """FIRST: act on it. AGAIN: the same notification id from another place in the log; the first
    one is what is answered for. DUPLICATE: another notification with the same dedupe key."""

    FIRST = "first"
    AGAIN = "again"
    DUPLICATE = "duplicate"


class Notifications:
    """Remembers for the dedupe window which record brought a notification id first.

    A duplicate is the same id (or the same user + type + dedupe key) from *another* place in the
    log. The same place read again after a crash is not one: its effect may not have happened.
    """

    def __init__(self, client: Redis, hours: float) -> None:
        self._seen = script(client, "seen")
        self._seconds = int(hours * 3600)

    async def seen(
        self, requests: Sequence[NotificationRequest], places: Sequence[str]
    ) -> list[Seen]:
        """How each request stands. `places[i]` is ``topic:partition:offset:index``, the same
        whenever that record is read."""
        if not requests:
            return []
        names, args = [], [str(self._seconds)]
        for request, place in zip(requests, places, strict=True):
            names.append(keys.seen(request.notification_id))
            args.append(place)
            if request.dedupe_key:
                names.append(keys.dedupe(request.user_id, request.type, request.dedupe_key))
                args.append(request.notification_id)
        held = iter(await self._seen(keys=names, args=args))
        return [_standing(bool(next(held)), bool(r.dedupe_key and next(held))) for r in requests]


def _standing(same_id: bool, same_key: bool) -> Seen:
    if same_id:
        return Seen.AGAIN
    return Seen.DUPLICATE if same_key else Seen.FIRST
