"""Taking broadcasts: checked, given an id, durable in Kafka, answered; and taking them back."""

import logging
from datetime import datetime

import msgspec
from msgspec.structs import replace
from redis.exceptions import RedisError

from api.bodies import BroadcastBody
from api.idempotent import Key
from api.publish import Publish
from tocsin.clock import Clock
from tocsin.errors import Invalid, Refused
from tocsin.ids import new_id
from tocsin.records import Broadcast, Cancellation, check_send_at, decode, encode
from tocsin.store import Broadcasts
from tocsin.store.broadcasts import Progress
from tocsin.templates import Choose, Wanted
from tocsin.topics import BROADCASTS, CANCELLATIONS

_PINS = 200
"""Bytes that the name and version of its words take at most."""

log = logging.getLogger(__name__)


class AcceptedBroadcast(msgspec.Struct):
    """The broadcast is kept: from now on it ends as done or cancelled."""

    broadcast_id: str


class TakeBroadcasts:
    """The log first, then the view: what a crash keeps from the view the fan-out puts there."""

    def __init__(self, store: Broadcasts, choose: Choose, publish: Publish, clock: Clock) -> None:
        self._store, self._choose = store, choose
        self._publish, self._clock = publish, clock

    async def accept(self, raw: bytes, key: Key | None) -> AcceptedBroadcast:
        """Raises `Invalid` for a wrong broadcast, or data its words cannot be filled with.

        The same key again has the same id, and the fan-out acts on the record that came first.
        """
        body = decode(BroadcastBody, raw)
        broadcast_id = key.id(0) if key else new_id()

        async def work() -> bytes:
            now = self._clock.now()
            broadcast = _broadcast(body, broadcast_id, now)
            check(broadcast, len(encode(broadcast)) + _PINS, now)
            name, version = await self._choose.one(
                Wanted(body.type, body.template_id, body.template_version, body.data)
            )
            pinned = replace(broadcast, template_id=name, template_version=version)
            await self._publish.one(BROADCASTS, broadcast_id, encode(pinned))
            await self._note(broadcast_id)
            return b"[]"

        await (key.once(work) if key else work())
        return AcceptedBroadcast(broadcast_id)

    async def _note(self, broadcast_id: str) -> None:
        """It is accepted already, and known of as soon as its record is read."""
        try:
            await self._store.note(broadcast_id)
        except RedisError as error:
            about = {"broadcast_id": broadcast_id}
            log.warning(
                "broadcast %s is not shown as waiting yet: %s", broadcast_id, error, extra=about
            )

    async def progress(self, broadcast_id: str) -> Progress:
        """How far it has come. Raises `Refused` (404)."""
        found = await self._store.progress(broadcast_id)
        if found is None:
            raise Refused("not_found", f"nothing is known of broadcast {broadcast_id!r} yet")
        return found

    async def cancel(self, broadcast_id: str, by: str) -> Progress:
        """Nobody further is told. Raises `Refused` (404). Cancelling twice is cancelling."""
        await self.progress(broadcast_id)
        now = self._clock.now()
        taken_back = Cancellation(notification_id=broadcast_id, at=now, by=by)
        await self._publish.one(CANCELLATIONS, broadcast_id, encode(taken_back))
        await self._store.cancel(broadcast_id, now)
        return await self.progress(broadcast_id)


def check(broadcast: Broadcast, size: int, now: datetime) -> None:
    """Whatever can be known to be wrong before the answer: each as `Invalid` naming the field.

    `size` is that of the broadcast's JSON, in bytes.
    """
    broadcast.check(size)
    check_send_at(broadcast.send_at, now)
    if broadcast.expires_at is not None:
        if broadcast.expires_at <= now:
            raise Invalid("expires_at", "is over already")
        if broadcast.send_at is not None and broadcast.expires_at <= broadcast.send_at:
            raise Invalid("expires_at", "lies before `send_at`: nobody would be told")


def _broadcast(body: BroadcastBody, broadcast_id: str, now: datetime) -> Broadcast:
    return Broadcast(
        broadcast_id=broadcast_id,
        audience=body.audience,
        type=body.type,
        accepted_at=now,
        data=body.data,
        channels=body.channels,
        priority=body.priority,
        strategy=body.strategy,
        template_id=body.template_id,
        template_version=body.template_version,
        category=body.category,
        collapse_key=body.collapse_key,
        send_at=body.send_at,
        expires_at=body.expires_at,
    )
