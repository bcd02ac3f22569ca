"""What leaves a worker: batches of one partition, durable when `flush` returns."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from aiokafka import AIOKafkaProducer

from streams.retry_policy import tier
from tocsin.kafka import send_all
from tocsin.records import (
    Delivery,
    DeliveryBatch,
    Outcome,
    OutcomeBatch,
    Priority,
    encode,
    lane_of,
)
from tocsin.topics import BY_CHANNEL, OUTCOMES, Topic

MOST: Final = 250
"""Deliveries in one internal record: enough that Faust's 100 µs a record vanish."""

_MOST_BYTES: Final = 900_000


class Emit:
    """Collects what one batch of work produced; `flush` writes it with acks=all."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._deliveries: dict[tuple[Topic, int], list[Delivery]] = defaultdict(list)
        self._outcomes: dict[int, list[Outcome]] = defaultdict(list)

    def delivery(self, delivery: Delivery, partition: int, now: datetime) -> None:
        """To its channel, or to the retry topic of its lane that holds it until `not_before`."""
        wait = (delivery.not_before - now).total_seconds() if delivery.not_before else 0
        lane = lane_of(delivery.priority)
        topic = tier(wait, lane) if wait > 0 else BY_CHANNEL[delivery.channel, lane]
        self._deliveries[topic, partition].append(delivery)

    def outcomes(self, outcomes: Iterable[Outcome], partition: int) -> None:
        """To ``delivery.outcomes``."""
        self._outcomes[partition].extend(outcomes)

    async def flush(self) -> None:
        """Write everything collected, all topics at once; a crash in between writes it again."""
        await asyncio.gather(
            *(
                send_all(self._producer, topic, [(partition, v) for v in _records(deliveries)])
                for (topic, partition), deliveries in self._deliveries.items()
            ),
            send_all(self._producer, OUTCOMES, self._outcome_values()),
        )
        self._deliveries.clear()
        self._outcomes.clear()

    def _outcome_values(self) -> list[tuple[int, bytes]]:
        return [
            (partition, encode(OutcomeBatch(outcomes[i : i + 2 * MOST])))
            for partition, outcomes in self._outcomes.items()
            for i in range(0, len(outcomes), 2 * MOST)
        ]


def _records(deliveries: Sequence[Delivery]) -> Iterable[bytes]:
    if any(delivery.priority is Priority.CRITICAL for delivery in deliveries):
        deliveries = sorted(deliveries, key=lambda d: d.priority is not Priority.CRITICAL)
    for start in range(0, len(deliveries), MOST):
        yield from _fitting(deliveries[start : start + MOST])


def _fitting(deliveries: Sequence[Delivery]) -> Iterable[bytes]:
    value = encode(DeliveryBatch(list(deliveries)))
    if len(value) <= _MOST_BYTES or len(deliveries) == 1:
        yield value
        return
    middle = len(deliveries) // 2
    yield from _fitting(deliveries[:middle])
    yield from _fitting(deliveries[middle:])
