"""Into Kafka, and not a word to the caller before every in-sync replica has it."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer

from tocsin.kafka import partition_for
from tocsin.records import Lane
from tocsin.topics import MAX_RECORD_BYTES, REQUESTS_BY_LANE, Topic

ACK_SECONDS: Final = 10.0
"""Longer without an acknowledgement, and the caller is told to ask again."""

_OPEN, _CLOSE = b'{"requests":[', b"]}"
_ROOM: Final = MAX_RECORD_BYTES - len(_OPEN) - len(_CLOSE)


class _Placed(NamedTuple):
    topic: Topic
    partition: int
    key: bytes | None
    value: bytes | None


class Publish:
    """Keyed records. Raises `KafkaError` when they are not known to be durable; they may be."""

    def __init__(self, producer: AIOKafkaProducer, partitions: int) -> None:
        self._producer, self._partitions = producer, partitions
        # the hash is pure Python and shops write to the same people again and again
        self._partition = lru_cache(maxsize=65_536)(partition_for)

    def partition(self, key: str) -> int:
        """Where a key's records go."""
        return self._partition(key, self._partitions)

    async def one(self, topic: Topic, key: str, value: bytes | None) -> None:
        """One record, or with None a tombstone."""
        await self.many(topic, [(key, value)])

    async def many(self, topic: Topic, items: Iterable[tuple[str, bytes | None]]) -> None:
        """Records in order."""
        await self._durable(
            [_Placed(topic, self.partition(key), key.encode(), value) for key, value in items]
        )

    async def requests(self, items: Sequence[tuple[Lane, str, bytes]]) -> None:
        """(lane, user, request as JSON) as few ``{requests:[...]}`` records, by lane and
        partition."""
        by_place: dict[tuple[Lane, int], list[bytes]] = {}
        for lane, user_id, value in items:
            by_place.setdefault((lane, self.partition(user_id)), []).append(value)
        await self._durable(
            [
                _Placed(REQUESTS_BY_LANE[lane], partition, None, value)
                for (lane, partition), values in by_place.items()
                for value in grouped(values)
            ]
        )

    async def _durable(self, placed: Sequence[_Placed]) -> None:
        async with asyncio.timeout(ACK_SECONDS):
            acks = [
                await self._producer.send(
                    each.topic.name, each.value, key=each.key, partition=each.partition
                )
                for each in placed
            ]
            if acks:
                await asyncio.wait(acks)  # unlike gather, it cancels none when time is up
        for ack in acks:
            ack.result()


def grouped(values: Iterable[bytes]) -> list[bytes]:
    """JSON requests as ``{requests:[...]}`` values, as few as fit a record. Each value fits one."""
    groups: list[list[bytes]] = [[]]
    size = 0
    for value in values:
        if size + len(value) + 1 > _ROOM:
            groups.append([])
            size = 0
        groups[-1].append(value)
        size += len(value) + 1
    return [_OPEN + b",".join(group) + _CLOSE for group in groups if group]
