"""What went over the topics of a delivery's way, read back from them: records and bytes."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from tocsin.settings import Settings
from tocsin.topics import BY_CHANNEL, OUTCOMES, REQUESTS_BY_LANE

_KIND: Final[Mapping[str, str]] = {
    **{topic.name: "requests" for topic in REQUESTS_BY_LANE.values()},
    **{topic.name: channel for (channel, _), topic in BY_CHANNEL.items()},
    OUTCOMES.name: "outcomes",
}
_QUIET_SECONDS: Final = 0.5


class Passed(NamedTuple):
    """Records and bytes of values by `requests`, channel and `outcomes`."""

    records: Counter[str]
    bytes: Counter[str]


class Topics:
    """Rests between two readings, so that it is not in what is measured. Use as an async context
    manager; the embedded broker's own offsets count batches, hence the reading."""

    def __init__(self, settings: Settings) -> None:
        self._places = [
            TopicPartition(name, p) for name in _KIND for p in range(settings.partitions)
        ]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_servers(), enable_auto_commit=False
        )

    async def __aenter__(self) -> "Topics":
        await self._consumer.start()
        self._consumer.assign(self._places)
        await self._consumer.seek_to_beginning(*self._places)
        self._consumer.pause(*self._places)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def passed(self) -> Passed:
        """What came since the last reading."""
        found = Passed(Counter(), Counter())
        self._consumer.resume(*self._places)
        last = time.monotonic()
        while time.monotonic() < last + _QUIET_SECONDS:
            lots = await self._consumer.getmany(timeout_ms=100)
            for place, records in lots.items():
                kind = _KIND[place.topic]
                found.records[kind] += len(records)
                found.bytes[kind] += sum(len(record.value or b"") for record in records)
                last = time.monotonic()
        self._consumer.pause(*self._places)
        return found
