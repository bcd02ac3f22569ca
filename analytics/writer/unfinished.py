"""The conservation law as a metric: deliveries that should have ended by now, and have not."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from tocsin.metrics import UNFINISHED
from tocsin.observability.asked import noticing
from tocsin.records import CHANNELS

EVERY: Final = 300.0
"""Seconds between two counts, while somebody reads the metrics."""

_LOOK: Final = 1.0
_QUERY: Final = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
log = logging.getLogger("tocsin.writer")


async def keep_count(client: AsyncClient) -> None:
    """Until cancelled. While it is not known there is no number rather than an old one."""
    with noticing() as asked:
        while True:
            if asked.lately():
                await _count(client)
                await asyncio.sleep(EVERY)
            await asyncio.sleep(_LOOK)


async def _count(client: AsyncClient) -> None:
    try:
        await count(client)
    except (ClickHouseError, OSError) as error:
        UNFINISHED.clear()
        log.warning("whether deliveries end is not known: %s", str(error).partition("\n")[0][:300])


async def count(client: AsyncClient) -> None:
    """Ask once, and show it; a channel without any is 0. Raises what ClickHouse raises."""
    found = {channel: n for channel, n in (await client.query(_QUERY)).result_rows if n}
    for channel in CHANNELS:
        UNFINISHED.labels(channel).set(found.get(channel, 0))
