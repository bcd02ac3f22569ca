"""A real producer whose every record is kept, to be read."""

from collections import defaultdict, deque
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer

from streams.consume import Record
from tocsin.kafka import PLACE_HEADER
from tocsin.records import (
    DeadLetter,
    Deferred,
    Delivery,
    DeliveryBatch,
    DueBatch,
    NotificationRequest,
    Outcome,
    OutcomeBatch,
    decode,
    decode_internal,
    split_requests,
)
from tocsin.topics import (
    BY_CHANNEL,
    DEAD,
    DUE_BY_LANE,
    OUTCOMES,
    REQUESTS,
    SCHEDULE,
    Topic,
)


class Tape:
    """The real producer; whatever it wrote is kept, in order, to be read."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self.unread: dict[str, deque[Record]] = defaultdict(deque)
        self.records: dict[str, list[Record]] = defaultdict(list)
        self.schedule: dict[str, bytes | None] = {}

    async def send(self, topic: str, value: bytes | None = None, **more: Any) -> Any:
        ack = await self._producer.send(topic, value, **more)
        self._keep(topic, value, **more)
        return ack

    async def send_and_wait(self, topic: str, value: bytes | None = None, **more: Any) -> Any:
        at = await self._producer.send_and_wait(topic, value, **more)
        self._keep(topic, value, **more)
        return at

    def _keep(self, topic: str, value: bytes | None, **more: Any) -> None:
        if topic == SCHEDULE.name:
            self.schedule[more["key"].decode()] = value
            return
        origin = dict(more.get("headers") or ()).get(PLACE_HEADER, b"").decode()
        offset = 1_000 + len(self.records[topic])
        record = Record(topic, more.get("partition") or 0, offset, value or b"", _now(), origin)
        self.records[topic].append(record)
        self.unread[topic].append(record)

    def take(self, topic: Topic) -> list[Record]:
        """What nobody has read yet."""
        found = list(self.unread[topic.name])
        self.unread[topic.name].clear()
        return found

    def deliveries(self, topic: Topic) -> list[Delivery]:
        return [
            delivery
            for record in self.records[topic.name]
            for delivery in decode_internal(DeliveryBatch, record.value).deliveries
        ]

    def channels(self) -> list[tuple[str, str]]:
        """(topic, delivery id) of everything that went to a channel."""
        topics = BY_CHANNEL.values()
        return [(topic.name, d.delivery_id) for topic in topics for d in self.deliveries(topic)]

    def outcomes(self) -> list[Outcome]:
        return [
            outcome
            for record in self.records[OUTCOMES.name]
            for outcome in decode_internal(OutcomeBatch, record.value).outcomes
        ]

    def due(self) -> list[Deferred]:
        return [
            entry
            for topic in DUE_BY_LANE.values()
            for record in self.records[topic.name]
            for entry in decode_internal(DueBatch, record.value).due
        ]

    def letters(self) -> list[DeadLetter]:
        return [decode(DeadLetter, record.value) for record in self.records[DEAD.name]]

    def waiting(self) -> set[str]:
        """The compacted view of ``schedule``."""
        return {key for key, value in self.schedule.items() if value is not None}

    def digests(self) -> list[NotificationRequest]:
        """The digest requests, each as often as it was written."""
        found = [r for record in self.records[REQUESTS.name] for r in split_requests(record.value)]
        return [r for r in found if isinstance(r, NotificationRequest) and r.type == "DIGEST"]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
