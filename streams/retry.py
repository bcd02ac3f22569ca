"""The retry agents: hold deliveries until they are due, then put them back on their channel."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

from streams.consume import Record
from streams.dispatch import outcome_of
from streams.emit import Emit
from tocsin.clock import Clock
from tocsin.records import Delivery, DeliveryBatch, State, decode_internal
from tocsin.store import SendResult
from tocsin.store.claims import Begun
from tocsin.store.inbox import Inbox

_EPOCH = datetime.fromtimestamp(0, UTC)
_Held = tuple[datetime, int, Delivery]


class Retry:
    """Work for one ``retry.*`` topic. `hold` is the longest wait (seconds) the topic is meant for.

    What is not due by then goes to the end of its topic again. A crash while holding forgets
    nothing: the record is unacknowledged and is read again. A cascade's step that has become
    needless meanwhile ends here.
    """

    def __init__(
        self, producer: AIOKafkaProducer, inbox: Inbox, begun: Begun, clock: Clock, hold: float
    ) -> None:
        self._producer, self._inbox, self._begun = producer, inbox, begun
        self._clock, self._hold = clock, hold

    async def __call__(self, records: Sequence[Record]) -> None:
        held = sorted(
            (
                (delivery.not_before or _EPOCH, record.partition, delivery)
                for record in records
                for delivery in decode_internal(DeliveryBatch, record.value).deliveries
            ),
            key=lambda entry: entry[0],
        )
        until = self._clock.now().timestamp() + self._hold
        while held:
            now = self._clock.now()
            due = [entry for entry in held if entry[0] <= now]
            if not due and now.timestamp() >= until:
                due = held
            await self._release(due, now)
            held = held[len(due) :]
            if held:
                soonest = min(held[0][0].timestamp(), until) - now.timestamp()
                await asyncio.sleep(max(soonest, 0.01))

    async def _release(self, due: Sequence[_Held], now: datetime) -> None:
        emit = Emit(self._producer)
        needless = await self._needless(due, now)
        for _, partition, delivery in due:
            if delivery.delivery_id in needless:
                reason = str(delivery.unless)
                result = SendResult(delivery.delivery_id, State.CANCELLED, reason)
                emit.outcomes((outcome_of(delivery, result, now),), partition)
            else:
                emit.delivery(delivery, partition, now)
        await emit.flush()

    async def _needless(self, due: Sequence[_Held], now: datetime) -> set[str]:
        """Of those that are due: what they are conditional on has happened, and not only since they
        were released before a crash."""
        asked = [d for at, _, d in due if d.unless is not None and at <= now]
        happened = await self._inbox.happened(
            [(d.user_id, d.notification_id, d.unless) for d in asked if d.unless]
        )
        needless = [d for d, so in zip(asked, happened, strict=True) if so]
        begun = await self._begun.among([(d.delivery_id, d.attempt) for d in needless])
        return {d.delivery_id for d in needless} - begun
