"""What people did with their inbox: from the store's stream into the log.

Every worker runs one. What one takes is the group's until it is in Kafka; of one that died another
inherits it. So it may be written twice, and counts once: events and receipts have their identity
from what was done, not from the writing.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from aiokafka import AIOKafkaProducer

from streams.consume import OUTAGE
from streams.emit import Emit
from tocsin.ids import derived_id
from tocsin.kafka import partition_for, send_keyed
from tocsin.metrics import ENGAGED, ENGAGED_WAITING
from tocsin.records import Channel, Engagement, Outcome, State, encode
from tocsin.store.engaged import Deed, Engaged, Entry
from tocsin.topics import ENGAGEMENT

log = logging.getLogger(__name__)

MOST: Final = 100
"""Entries at once; one holds what a call changed, up to some hundreds of items."""

PAUSE: Final = 0.2
"""Seconds between looks that found less: a shard writes its acknowledgements ten times a second."""

_WAIT_MS: Final = 1_000
_INHERIT_SECONDS: Final = 10.0


class Engage:
    """Runs beside the agents. Holds nothing that is not held for it in the store, too."""

    def __init__(self, producer: AIOKafkaProducer, engaged: Engaged, partitions: int) -> None:
        self._producer, self._engaged, self._partitions = producer, engaged, partitions
        self._failed = False
        self._inherits_at = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                done = await self.once()
            except OUTAGE as error:
                log.warning("what people did waits: %s: %s", type(error).__name__, error)
                self._failed, done = True, 0
            except Exception:
                # nobody waits for this task. What it stumbled over comes again as a dead one's
                log.exception("what people did cannot be written, and is tried again later")
                done = 0
            if done < MOST:
                await asyncio.sleep(PAUSE)

    async def once(self) -> int:
        """Hand on what there is, waiting a second for it; how many entries. Durable when it
        returns: then they have left the stream."""
        entries = await self._next()
        if entries:
            await self._publish([deed for entry in entries for deed in entry.deeds])
            await self._engaged.finish(entries)
        return len(entries)

    async def _next(self) -> list[Entry]:
        if self._failed:
            if held := await self._engaged.held(MOST):
                return held
            self._failed = False
        if time.monotonic() >= self._inherits_at:
            ENGAGED_WAITING.set(await self._engaged.waiting())
            if inherited := await self._engaged.inherit(MOST):
                return inherited
            self._inherits_at = time.monotonic() + _INHERIT_SECONDS
        return await self._engaged.take(MOST, _WAIT_MS)

    async def _publish(self, deeds: Sequence[Deed]) -> None:
        """All but what is of people who are erased by now."""
        gone = await self._engaged.erased(list({deed.user_id for deed in deeds}))
        kept = [deed for deed in deeds if deed.user_id not in gone]
        emit = Emit(self._producer)
        for receipt in receipts(kept):
            emit.outcomes((receipt,), partition_for(receipt.user_id, self._partitions))
        events = [(event.notification_id, encode(event)) for event in engagements(kept)]
        await asyncio.gather(emit.flush(), send_keyed(self._producer, ENGAGEMENT, events))
        for kind, count in Counter(deed.kind for deed in kept).items():
            ENGAGED.labels(kind).inc(count)


def engagements(deeds: Iterable[Deed]) -> list[Engagement]:
    """Reads and dismissals. A notification is read, or dismissed, once, however often it is marked
    unread and read again."""
    return [
        Engagement(
            event_id=derived_id("inbox", deed.kind, deed.notification_id),
            kind=deed.kind,
            notification_id=deed.notification_id,
            user_id=deed.user_id,
            at=deed.at,
            channel=Channel.INAPP,
            type=deed.type,
        )
        for deed in deeds
        if deed.kind != "ack"
    ]


def receipts(deeds: Iterable[Deed]) -> list[Outcome]:
    """Acknowledgements, each as a receipt of its in-app delivery."""
    return [
        Outcome(
            delivery_id=f"{deed.notification_id}:{Channel.INAPP}",
            notification_id=deed.notification_id,
            user_id=deed.user_id,
            channel=Channel.INAPP,
            type=deed.type,
            state=State.ACKED,
            attempt=0,
            accepted_at=_accepted_at(deed),
            at=deed.at,
            provider="socket",
        )
        for deed in deeds
        if deed.kind == "ack"
    ]


def _accepted_at(deed: Deed) -> datetime:
    try:
        at = datetime.fromisoformat(deed.accepted_at)
    except ValueError:
        return deed.at
    return at if at.tzinfo else deed.at
