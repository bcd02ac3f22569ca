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
        self,
        requests: Sequence[NotificationRequest],
        places: Sequence[str],
        windows: Sequence[float | None] = (),
    ) -> list[Seen]:
        """How each request stands. `places[i]` is ``topic:partition:offset:index``, the same
        whenever that record is read; `windows[i]` is for how many seconds another notification
        with the same collapse key is a duplicate (None: it is not)."""
        if not requests:
            return []
        names: list[str] = []
        args: list[str | int] = []
        counts = []
        for i, (request, place) in enumerate(zip(requests, places, strict=True)):
            names.append(keys.seen(request.notification_id))
            args += (self._seconds, place)
            held = self._dedupe(request, windows[i] if windows else None)
            for name, seconds in held:
                names.append(name)
                args += (seconds, request.notification_id)
            counts.append(len(held))
        found = iter(await self._seen(keys=names, args=args))
        return [_standing(next(found), [next(found) for _ in range(n)]) for n in counts]

    def _dedupe(self, request: NotificationRequest, window: float | None) -> list[tuple[str, int]]:
        """(key, seconds) of what another notification may hold already."""
        found = []
        if request.dedupe_key:
            name = keys.dedupe(request.user_id, request.type, request.dedupe_key)
            found.append((name, self._seconds))
        if request.collapse_key and window is not None:
            name = keys.collapse(request.user_id, request.type, request.collapse_key)
            found.append((name, max(1, round(window))))
        return found


def _standing(same_id: int, same_keys: Sequence[int]) -> Seen:
    if same_id:
        return Seen.AGAIN
    return Seen.DUPLICATE if any(same_keys) else Seen.FIRST
