"""When is everything done? No group behind, twice, with nothing produced in between."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from tocsin.groups import READS
from tocsin.lag import LagMeter, Positions
from tocsin.settings import Settings
from tocsin.topics import BROADCASTS, Topic

BETWEEN: Final = 1.0
"""Seconds between the two looks: longer than a batch is at work without a trace."""


def is_quiet(before: Positions | None, now: Positions) -> bool:
    """Whether nobody is behind in `now` and nothing was produced since `before`."""
    return (
        before is not None and dict(before.ends) == dict(now.ends) and not any(now.lag().values())
    )


async def quiet(settings: Settings, in_flight: Callable[[], Awaitable[int]]) -> float:
    """Return when the log is quiet and no accepted delivery is without an end; since when it was
    so, by the loop's clock."""
    loop = asyncio.get_running_loop()
    before, since = None, loop.time()
    async with LagMeter(settings) as meter:
        while True:
            now = await meter.positions()
            if is_quiet(before, now) and await in_flight() == 0:
                return since
            before, since = now, loop.time()
            await asyncio.sleep(BETWEEN)


def holds(topic: Topic) -> bool:
    """Whether records stay unfinished on this topic because they are not due."""
    return topic is BROADCASTS or topic.name.startswith("retry.")


async def drained(settings: Settings, groups: Iterable[str], seconds: float) -> int:
    """Wait until these groups are through with what is due, at most `seconds`; what is left.

    Retries and broadcasts wait on their topics until they are due, so nobody waits for those here.
    """
    wanted = [(g, t.name) for g in groups for t in READS[g] if not holds(t)]
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    async with LagMeter(settings) as meter:
        while True:
            lag = (await meter.positions()).lag()
            left = sum(lag[place] for place in wanted)
            if not left or loop.time() > end:
                return left
            await asyncio.sleep(0.25)
