"""How far the consumer groups are behind, measured over connections that are kept."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    NotCoordinatorForGroupError,
)

from tocsin.errors import EngineUnavailable
from tocsin.groups import READS
from tocsin.settings import Settings
from tocsin.topics import Topic

_COORDINATOR_SECONDS: Final = 30.0
_NO_COORDINATOR: Final = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)


@dataclass(frozen=True)
class Positions:
    """Where every partition ends, begins, and how far each group has committed.

    The embedded broker gives an end as one past the *first* record of the last batch: there, a lag
    above zero may be too small, and a group in the middle of the last batch seems to be through.
    """

    ends: Mapping[TopicPartition, int]
    starts: Mapping[TopicPartition, int]
    committed: Mapping[str, Mapping[TopicPartition, int]]

    def done(self, group: str, place: TopicPartition) -> int:
        """The first offset the group has not finished; without a commit, the partition's first."""
        return max(self.committed[group].get(place, 0), self.starts[place])

    def lag(self) -> dict[tuple[str, str], int]:
        """Records not yet finished, by (group, topic)."""
        found: dict[tuple[str, str], int] = {}
        for group, topics in READS.items():
            for topic in topics:
                behind = (
                    self.ends[place] - self.done(group, place)
                    for place in self.ends
                    if place.topic == topic.name
                )
                found[group, topic.name] = sum(max(0, n) for n in behind)
        return found


class LagMeter:
    """Measures in five round trips, whatever the number of topics. An async context manager."""

    def __init__(self, settings: Settings, topics: Iterable[Topic] = ()) -> None:
        servers = settings.kafka_servers()
        self._consumer = AIOKafkaConsumer(bootstrap_servers=servers)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        self._url = settings.kafka_url
        names = {t.name for read in (*READS.values(), tuple(topics)) for t in read}
        self._places = [
            TopicPartition(name, p) for name in sorted(names) for p in range(settings.partitions)
        ]

    async def __aenter__(self) -> Self:
        try:
            await asyncio.gather(self._consumer.start(), self._admin.start())
        except KafkaConnectionError:
            await self.__aexit__()
            raise EngineUnavailable(
                "Kafka", self._url, "start it, or set TOCSIN_KAFKA_URL"
            ) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(self._consumer.stop(), self._admin.close())

    async def positions(self) -> Positions:
        """One measurement. Commits are read before ends, so that a lag is never below zero's truth:
        what was produced in between counts as behind."""
        committed = {group: await self._committed(group) for group in READS}
        starts = await self._consumer.beginning_offsets(self._places)
        ends = await self._consumer.end_offsets(self._places)
        return Positions(ends, starts, committed)

    async def _committed(self, group: str) -> dict[TopicPartition, int]:
        # named one by one: the embedded broker answers "all" with a frame nobody can read
        reads = {topic.name for topic in READS[group]}
        places = [place for place in self._places if place.topic in reads]
        found = await committed(self._admin, group, places)
        return {place: at.offset for place, at in found.items() if at.offset >= 0}


async def committed(
    admin: AIOKafkaAdminClient, group: str, places: Sequence[TopicPartition]
) -> Any:
    """The group's commits by place. A Kafka that nobody has used yet makes the topic that holds
    them when it is first asked, and until then has no coordinator: it is waited for."""
    end = time.monotonic() + _COORDINATOR_SECONDS
    while True:
        try:
            return await admin.list_consumer_group_offsets(group, partitions=list(places))
        except _NO_COORDINATOR:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.2)
