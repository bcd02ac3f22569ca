"""The scheduler: what is due goes from the store to ``schedule.due``, late rather than never.

Every worker runs one. Taking is atomic and a lease, so two never take the same entry, and what one
that died has taken is taken again.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaProducer

from streams.consume import OUTAGE
from tocsin.kafka import packed, partition_for, send_all
from tocsin.metrics import SCHEDULE_WOKEN
from tocsin.records import LANES, Deferred, Lane, encode
from tocsin.store.schedule import Schedule
from tocsin.topics import DUE_BY_LANE

log = logging.getLogger(__name__)

MOST: Final = 1_000
PAUSE: Final = 0.25
"""Seconds between looks when nothing is due: how late an entry may be woken."""

_PER_RECORD: Final = 200


class Scheduler:
    """Runs beside the agents; holds nothing in memory between looks."""

    def __init__(self, producer: AIOKafkaProducer, schedule: Schedule, partitions: int) -> None:
        self._producer, self._schedule, self._partitions = producer, schedule, partitions

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                woken = await self.once()
            except OUTAGE as error:
                log.warning("the scheduler waits: %s: %s", type(error).__name__, error)
                woken = 0
            except Exception:
                # nobody waits for this task: ended by a bug it would never wake anything again
                log.exception("the scheduler could not hand on what is due, and tries again")
                woken = 0
            if woken < MOST:
                await asyncio.sleep(PAUSE)

    async def once(self) -> int:
        """Take what is due in each lane and hand it on; how many that were, of the lane that had
        most. Durable when it returns."""
        return max([await self._lane(lane) for lane in LANES])

    async def _lane(self, lane: Lane) -> int:
        taken = await self._schedule.take(lane, MOST)
        if taken.due:
            await send_all(self._producer, DUE_BY_LANE[lane], self._values(taken.due))
            await self._schedule.hold(taken.due)
            SCHEDULE_WOKEN.inc(len(taken.due))
        return len(taken.due)

    def _values(self, due: Sequence[Deferred]) -> list[tuple[int, bytes]]:
        """A person's entries on their partition; a digest's together, or it would become two."""
        places: dict[tuple[int, str], list[bytes]] = defaultdict(list)
        for entry in due:
            partition = partition_for(entry.request.user_id, self._partitions)
            places[partition, entry.digest].append(encode(entry))
        return [
            (partition, value)
            for (partition, digest), entries in places.items()
            for value in packed("due", entries, len(entries) if digest else _PER_RECORD)
        ]
