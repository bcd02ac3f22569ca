"""What was taken back: from the moment a cancellation is here, no sender begins what it names."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from tocsin.records import CHANNELS, Cancellation, Channel, Delivery
from tocsin.store import keys
from tocsin.store.client import raw, script
from tocsin.store.view import whole

KEPT: Final = timedelta(days=45)
"""Longer than anything waits: a cancellation must outlive what it cancels."""

NOTED_SECONDS: Final = 24 * 3600


class Cancellations:
    """The view of the ``cancellations`` topic, by the id of a notification or a broadcast.

    Claiming a delivery and cancelling its notification are one script each, so one of the two comes
    first: what `cancel` calls cancelled is sent by nobody, also not by a sender that is just now
    reading its batch.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._cancel = script(client, "cancel")
        self._note = script(client, "note")

    async def cancel(self, notification_id: str) -> Mapping[Channel, bool]:
        """Take it back; per channel whether that is too late: being sent right now, or ended.

        A claim is remembered for hours only (store/claims.py): what ended before that, the books
        know. Doing it again is harmless.
        """
        names = [keys.claim(f"{notification_id}:{channel}") for channel in CHANNELS]
        late = await self._cancel(
            keys=[keys.cancelled(notification_id), *names],
            args=[int(KEPT.total_seconds())],
        )
        return {channel: bool(each) for channel, each in zip(CHANNELS, late, strict=True)}

    async def cancelled(self, ids: Sequence[str]) -> list[bool]:
        """Which of these notifications or broadcasts were taken back. One MGET.

        Raises `StoreEmptied` where none is known of because the store was emptied.
        """
        if not ids:
            return []
        names = [*(keys.cancelled(i) for i in ids), keys.STORE_READY]
        return [value is not None for value in whole(raw(await self._client.mget(names)))]

    async def broadcasts_off(self, deliveries: Sequence[Delivery]) -> dict[str, str]:
        """Notification id to broadcast id, of those whose broadcast was taken back. Where none is
        of a broadcast nothing is asked, else one MGET of the few broadcasts there are."""
        ids = dict.fromkeys(d.broadcast_id for d in deliveries if d.broadcast_id)
        if not ids:
            return {}
        off = {i for i, is_off in zip(ids, await self.cancelled(list(ids)), strict=True) if is_off}
        return {
            d.notification_id: d.broadcast_id
            for d in deliveries
            if d.broadcast_id and d.broadcast_id in off
        }

    async def restore(self, *records: Cancellation) -> None:
        """Put cancellations of the log back (for rebuild), each for what is left of its time."""
        async with self._client.pipeline(transaction=False) as pipe:
            for record in records:
                # an end that has passed deletes the key, which is what it means
                ends = int((record.at + KEPT).timestamp())
                pipe.set(keys.cancelled(record.notification_id), "1", exat=ends)
            await pipe.execute()

    async def note(self, ids: Sequence[str]) -> None:
        """Remember for a day that these ids, chosen by callers, were accepted: until they are
        routed nothing else knows of them, and they must be there for whoever takes them back."""
        if ids:
            await self._note(keys=[keys.chosen(i) for i in ids], args=[NOTED_SECONDS])

    async def heard_of(self, notification_id: str) -> bool:
        """Whether it was noted, routed, claimed or cancelled before, as far back as is kept."""
        names = [keys.claim(f"{notification_id}:{channel}") for channel in CHANNELS]
        names += [
            keys.seen(notification_id), keys.chosen(notification_id),
            keys.cancelled(notification_id),
        ]  # fmt: skip
        return bool(await self._client.exists(*names))
