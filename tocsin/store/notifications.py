"""Which notifications were seen: the router's dedupe, one script call per batch."""

from collections.abc import Sequence

from redis.asyncio import Redis

from tocsin.records import NotificationRequest
from tocsin.store import keys
from tocsin.store.client import script


class Notifications:
    """Remembers for the dedupe window which record brought a notification id first.

    A duplicate is the same id (or the same user + type + dedupe key) from *another* place in the
    log. The same place read again after a crash is not one: its effect may not have happened.
    """

    def __init__(self, client: Redis, hours: float) -> None:
        self._seen = script(client, "seen")
        self._seconds = int(hours * 3600)

    async def duplicates(
        self, requests: Sequence[NotificationRequest], places: Sequence[str]
    ) -> list[bool]:
        """For each request, whether another place in the log brought it before.

        `places[i]` is ``topic:partition:offset:index``, the same whenever that record is read.
        """
        if not requests:
            return []
        names, args = [], [str(self._seconds)]
        for request, place in zip(requests, places, strict=True):
            names.append(keys.seen(request.notification_id))
            args.append(place)
            if request.dedupe_key:
                names.append(keys.dedupe(request.user_id, request.type, request.dedupe_key))
                args.append(request.notification_id)
        found = iter(await self._seen(keys=names, args=args))
        return [bool(next(found)) | bool(r.dedupe_key and next(found)) for r in requests]
