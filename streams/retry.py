"""The retry agents: hold deliveries until they are due, then put them back on their channel."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

from streams.consume import Record
from streams.emit import Emit
from tocsin.clock import Clock
from tocsin.records import Delivery, DeliveryBatch, decode_internal

_EPOCH = datetime.fromtimestamp(0, UTC)


class Retry:
    """Work for one ``retry.*`` topic. `hold` is the longest wait (seconds) the topic is meant for.

    What is not due by then (a schedule, quiet hours) goes to the end of its topic again. A crash
    while holding forgets nothing: the record is unacknowledged and is read again.
    """

    def __init__(self, producer: AIOKafkaProducer, clock: Clock, hold: float) -> None:
        self._producer, self._clock, self._hold = producer, clock, hold

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

    async def _release(self, due: Sequence[tuple[datetime, int, Delivery]], now: datetime) -> None:
        emit = Emit(self._producer)
        for _, partition, delivery in due:
            emit.delivery(delivery, partition, now)
        await emit.flush()
