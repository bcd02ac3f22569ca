"""The groups' lag as metrics, measured from outside while somebody reads them."""

import asyncio
import logging
from typing import Final

from aiokafka.errors import KafkaError

from tocsin.errors import EngineUnavailable
from tocsin.groups import READS
from tocsin.lag import LagMeter, Positions
from tocsin.metrics import DONE, LAG
from tocsin.observability.asked import Asked, noticing
from tocsin.settings import Settings

log = logging.getLogger(__name__)

EVERY: Final = 15.0
"""Seconds between two measurements."""

_LOOK: Final = 1.0
_PATIENCE: Final = 10.0


async def keep_lag(settings: Settings) -> None:
    """Until cancelled. While it cannot be measured there is no lag rather than an old one."""
    with noticing() as asked:
        told = False
        while True:
            if asked.lately():
                try:
                    await _measure(settings, asked)
                    told = False
                except (EngineUnavailable, KafkaError, OSError, TimeoutError) as error:
                    if not told:
                        log.warning("cannot see the lag: %s: %s", type(error).__name__, error)
                    told = True
                finally:
                    LAG.clear()
                    DONE.clear()
                await asyncio.sleep(EVERY)
            await asyncio.sleep(_LOOK)


async def _measure(settings: Settings, asked: Asked) -> None:
    async with LagMeter(settings) as meter:
        while asked.lately():
            async with asyncio.timeout(_PATIENCE):
                show(await meter.positions())
            await asyncio.sleep(EVERY)


def show(positions: Positions) -> None:
    """One measurement, into the gauges."""
    for (group, name), records in positions.lag().items():
        LAG.labels(group, name).set(records)
    for group, topics in READS.items():
        for topic in topics:
            done = (positions.done(group, p) for p in positions.ends if p.topic == topic.name)
            DONE.labels(group, topic.name).set(sum(done))
