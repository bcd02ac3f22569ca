"""A day as the blocks the writer would make of it: requests, and outcomes when they come about."""

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Final, TypeVar

from analytics.writer.block import Block, Range
from analytics.writer.rows import Record
from loadtest.bench.storage.day import Day
from tocsin.records import NotificationRequest, Outcome, OutcomeBatch, encode
from tocsin.topics import OUTCOMES, REQUESTS

T = TypeVar("T")
_TOLD: Final = 8_000
"""Notifications of a block: about 20,000 outcomes, the writer's own bound."""

_BATCH: Final = 100
_RECORD: Final = 20


class Feed:
    """`day` in the order of Kafka: an outcome is read when it has come about, not when its
    notification began."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._ahead: list[tuple[datetime, int, Outcome]] = []
        self._number, self._offset = count(), count()

    def blocks(self, deliveries: int) -> Iterator[list[Block]]:
        """What the writer takes at a time, until there were so many deliveries, all ended."""
        requests: list[NotificationRequest] = []
        for told in self._day.told(deliveries):
            requests.append(told.request)
            for outcome in told.outcomes:
                heapq.heappush(self._ahead, (outcome.at, next(self._number), outcome))
            if len(requests) == _TOLD:
                yield self._taken(requests, self._day.now)
                requests = []
        while requests or self._ahead:
            yield self._taken(requests, None)
            requests = []

    def _taken(
        self, requests: Sequence[NotificationRequest], until: datetime | None
    ) -> list[Block]:
        outcomes: list[Outcome] = []
        while self._ahead and len(outcomes) < 4 * _TOLD:
            if until is not None and self._ahead[0][0] > until:
                break
            outcomes.append(heapq.heappop(self._ahead)[2])
        asked = [encode({"requests": list(each)}) for each in _parts(requests, _RECORD)]
        ended = [encode(OutcomeBatch(list(each))) for each in _parts(outcomes, _BATCH)]
        made = (self._block(REQUESTS.name, asked), self._block(OUTCOMES.name, ended))
        return [block for block in made if block.records]

    def _block(self, topic: str, values: Sequence[bytes]) -> Block:
        records = tuple(Record(0, next(self._offset), 0, value) for value in values)
        end = records[-1].offset + 1 if records else 0
        start = records[0].offset if records else 0
        return Block(topic, (Range(0, start, end),), records)


def _parts(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (rows[i : i + size] for i in range(0, len(rows), size))
