"""In-app delivery of a batch: the inbox first, then whoever is connected."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from actors.decide import refusal
from actors.sockets import frames
from actors.sockets.frames import Push
from actors.sockets.item import Render, item
from tocsin.clock import Clock
from tocsin.errors import Permanent
from tocsin.records import Delivery, Profile, State
from tocsin.store import Profiles, SendResult
from tocsin.store.inbox import Appended, Inbox
from tocsin.templates import TemplateMissing, content_hash, data_hash

_log = logging.getLogger(__name__)

Load = Callable[[Sequence[Delivery]], Awaitable[None]]
"""Have the words of these at hand, in at most one call. Raises what Redis raises."""

Off = Callable[[Sequence[Delivery]], Awaitable[Mapping[str, str]]]
"""`Cancellations.broadcasts_off`."""

Reach = Callable[[Sequence[Push]], Awaitable[list[bool]]]
"""Push to sockets wherever they are; for each whether one has it. Raises nothing."""


class _Made(NamedTuple):
    item: bytes
    content_hash: int
    data_hash: int


class Inapp:
    """Decides, renders, writes and pushes. Doing a batch again writes and shows nothing twice."""

    def __init__(
        self,
        profiles: Profiles,
        inbox: Inbox,
        off: Off,
        load: Load,
        render: Render,
        reach: Reach,
        clock: Clock,
    ) -> None:
        self._profiles, self._inbox, self._off = profiles, inbox, off
        self._load, self._render = load, render
        self._reach, self._clock = reach, clock

    async def deliver(self, deliveries: Sequence[Delivery]) -> list[SendResult]:
        """A result for each, in order. Raises what Redis raises: then do the batch again."""
        now = self._clock.now()
        profiles = await self._profiles.get_many([d.user_id for d in deliveries])
        await self._load(deliveries)
        made = [self._make(d, p, now) for d, p in zip(deliveries, profiles, strict=True)]
        items = [
            (delivery.user_id, delivery.notification_id, each.item)
            for delivery, each in zip(deliveries, made, strict=True)
            if isinstance(each, _Made)
        ]
        ends = {d.notification_id: d.ends_at for d in deliveries if d.ends_at}
        places = await self._inbox.append(items, await self._off(deliveries), ends)
        written = [(i, p) for i, p in zip(items, places, strict=True) if not p.cancelled]
        shown = iter(await self._reach([_push(i, p) for i, p in written]))
        shows = (None if place.cancelled else next(shown) for place in places)
        return [
            _ended(delivery, each, next(shows)) if isinstance(each, _Made) else each
            for delivery, each in zip(deliveries, made, strict=True)
        ]

    def _make(
        self, delivery: Delivery, profile: Profile | None, now: datetime
    ) -> SendResult | _Made:
        """The item to write, or why there is none. Never raises: one must not stop its batch."""
        if refused := refusal(delivery, profile, now):
            return refused
        assert profile is not None
        try:
            content = self._render(delivery, profile)
            return _Made(item(delivery, content), content_hash(content), data_hash(delivery.data))
        except Permanent as error:
            return SendResult(delivery.delivery_id, State.FAILED, error.reason)
        except TemplateMissing as error:
            return SendResult(delivery.delivery_id, State.RETRY, error.reason)
        except Exception:
            _log.exception("delivery %s cannot be rendered", delivery.delivery_id)
            return SendResult(delivery.delivery_id, State.FAILED, "render_error")


def _push(written: tuple[str, str, bytes], place: Appended) -> Push:
    user_id, _, content = written
    frame = frames.notification(content, place.offset, place.unread)
    return Push(user_id, frame, place.epoch, place.offset)


def _ended(delivery: Delivery, made: _Made, shown: bool | None) -> SendResult:
    """`shown` None: it was taken back before it was written."""
    if shown is None:
        return SendResult(delivery.delivery_id, State.CANCELLED, "cancelled")
    where = "socket" if shown else "inbox"
    return SendResult(
        delivery.delivery_id,
        State.DELIVERED,
        provider=where,
        content_hash=made.content_hash,
        data_hash=made.data_hash,
    )
