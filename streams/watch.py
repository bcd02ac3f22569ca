"""Liveness from outside: a consumer that has lag, nothing at work and no progress is stuck.

Consumers of Faust get stuck (faust-streaming #175, #629, #640) and nothing there restarts them. The
lag is measured over connections of our own, so a fetcher that hangs cannot hide it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from aiokafka.errors import KafkaError

from streams.consume import Consume
from tocsin.errors import EngineUnavailable
from tocsin.groups import READS
from tocsin.lag import LagMeter, Positions
from tocsin.observability.progress import PROGRESS, WORK_SECONDS
from tocsin.settings import Settings

log = logging.getLogger(__name__)

EVERY: Final = 20.0
CHECKS: Final = 4
"""Checks in a row without progress, at EVERY seconds: well beyond a rebalance."""

_PATIENCE: Final = 60.0
"""For one measurement: a broker that accepts and never answers must not hold it for ever."""


class Stuck:
    """Counts, per consumer, the checks in a row that found lag and no progress. Pure."""

    def __init__(self, consumers: Sequence[Consume]) -> None:
        self._consumers = consumers
        self._counts = {c.topic.name: 0 for c in consumers}
        self._seen = {c.topic.name: c.acknowledged for c in consumers}

    def check(self, lag: Mapping[str, int]) -> list[str]:
        """Topics whose consumer is stuck by now, given the group's lag per topic."""
        for consumer in self._consumers:
            name = consumer.topic.name
            moved = consumer.acknowledged != self._seen[name] or not consumer.idle
            self._seen[name] = consumer.acknowledged
            self._counts[name] = 0 if moved or not lag.get(name) else self._counts[name] + 1
        return [name for name, count in self._counts.items() if count >= CHECKS]


async def watch(
    settings: Settings,
    group: str,
    consumers: Sequence[Consume],
    mine: Callable[[], Collection[Any]],
) -> list[str]:
    """Returns when something is stuck, with the topics; the caller ends the process.

    `mine` gives the partitions assigned to this worker now: another's lag is not ours.
    """
    stuck = Stuck(consumers)
    part = PROGRESS.part("watch of the consumers", WORK_SECONDS, needs_log=True)
    while True:
        await asyncio.sleep(EVERY)
        part.moved()
        try:
            async with asyncio.timeout(_PATIENCE), LagMeter(settings) as meter:
                positions = await meter.positions()
        except (EngineUnavailable, KafkaError, OSError, TimeoutError) as error:
            log.warning("cannot see the lag: %s: %s", type(error).__name__, error)
            continue
        if found := stuck.check(_own_lag(positions, group, mine())):
            return found


def _own_lag(positions: Positions, group: str, mine: Collection[Any]) -> dict[str, int]:
    # only what the group has to finish: of a mere view (delivery.outcomes) no position is kept
    finishes = {topic.name for topic in READS[group]}
    own = {(place.topic, place.partition) for place in mine if place.topic in finishes}
    lag: Counter[str] = Counter()
    for place, end in positions.ends.items():
        if (place.topic, place.partition) in own:
            lag[place.topic] += max(0, end - positions.done(group, place))
    return lag
