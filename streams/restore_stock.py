"""How the stock comes back: every change the restock agent is through with, applied again in order.

What it is not through with it will read again by itself, and then it fires. So nothing may be taken
here that was not committed, and nothing left out that was done. A living worker commits within a
second of being through, and gets through with nothing while the view is not whole: what it has done
shows after a pause.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from streams.consume import instant
from streams.restock import change_of
from streams.restore import BATCH, Work
from tocsin.errors import Invalid
from tocsin.groups import STREAMS
from tocsin.log import Commits
from tocsin.records import InventoryChange
from tocsin.store import View
from tocsin.store.shadow_stock import ShadowStock
from tocsin.topics import INVENTORY

SETTLED_SECONDS: Final = 4.0
"""Without a commit for so long, a worker that waits has none to make (streams/app.py: it commits
once a second)."""

_POLL: Final = 0.5
_PIPELINE: Final = 500

Positions = Mapping[int, int]


async def stock(work: Work) -> None:
    """``inventory.changes``: applied beside the stock that is there, which is replaced only where
    the store was emptied."""
    shadow = ShadowStock(work.redis, work.rebuild)
    await shadow.clear()
    skus: dict[str, None] = {}
    async with Commits(work.settings, STREAMS, INVENTORY) as commits:
        done: Positions = await commits.positions()
        skus |= await _apply(work, shadow, done)
        if not await View(work.redis).is_whole():
            while (later := await _next(commits, done)) != done:
                done = later
                skus |= await _apply(work, shadow, done)
    names = list(skus)
    for start in range(0, len(names), BATCH):
        work.tally.put(await shadow.adopt(names[start : start + BATCH]))


async def _next(commits: Commits, done: Positions) -> Positions:
    """The positions as soon as they move on; the same ones if they do not."""
    end = time.monotonic() + SETTLED_SECONDS
    while True:
        now = await commits.positions()
        if now != done or time.monotonic() >= end:
            return now
        await asyncio.sleep(_POLL)


async def _apply(work: Work, shadow: ShadowStock, done: Positions) -> dict[str, None]:
    """Apply what was committed since the last call; the SKUs it was about."""
    skus: dict[str, None] = {}
    for partition, until in done.items():
        async for records in work.log.read(partition, until):
            work.tally.saw(len(records))
            changes = [change for record in records for change in _changes(work, record)]
            for start in range(0, len(changes), _PIPELINE):
                await shadow.apply(changes[start : start + _PIPELINE])
            skus |= dict.fromkeys(change.sku for change in changes)
    return skus


def _changes(work: Work, record: Any) -> Sequence[InventoryChange]:
    """What the restock agent made of a record when it came."""
    try:
        return [change_of(record.value or b"", instant(record.timestamp / 1000))]
    except Invalid as error:
        work.tally.skip(record, error)
        return []
