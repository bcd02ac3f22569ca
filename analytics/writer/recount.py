"""Keeping the rollups exact: hours that were written to are counted again from the raw table.

The materialised views count what is inserted; a delivery's end that was written twice, in two Kafka
records, is one row in the end and two in their count. Of two such rows the earlier stays, so only
the later's hour is wrong, and that hour was touched when it was written. An hour is looked at once
it has been quiet for a while, and now and then before; it is looked at again for as long as
something was wrong. What a look finds is written as a difference: rollups are sums.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from importlib.resources import files
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from analytics.client import DATABASE
from tocsin.ids import new_id

EVERY_SECONDS: Final = 30.0
LEVELS: Final = ("minute", "hour", "day")
"""In the order they are counted: a day is the sum of its hours."""

_WORD: Final = "LowCardinality(String)"
_COLUMNS: Final = {
    "at": "DateTime('UTC')", "channel": _WORD, "type": _WORD, "template_id": _WORD,
    "template_version": "UInt32", "provider": _WORD, "state": _WORD, "deliveries": "Int64",
}  # fmt: skip
_NOW: Final = "SELECT toUnixTimestamp64Milli(now64(3))"
log = logging.getLogger("tocsin.recount")


class Pace(NamedTuple):
    """Seconds: how long an hour must have been quiet, how long a busy one goes without a look, and
    how long a row may be on its way between being stamped and being there."""

    quiet: int = 60
    patience: int = 600
    slack: int = 60


USUAL: Final = Pace()


class Recount:
    """One per writer; only the one that `leads` works. `calm` holds up its inserts meanwhile: a
    look between a row and its count would find a difference that is none. With two at once that may
    happen, and is put right by the next look."""

    def __init__(
        self,
        client: AsyncClient,
        calm: AbstractAsyncContextManager[Any],
        leads: Callable[[], bool],
        pace: Pace = USUAL,
    ) -> None:
        self._client, self._calm, self._leads, self._pace = client, calm, leads, pace
        self._suspects = _text("suspects")
        self._missing = {level: _text(level) for level in LEVELS}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. An outage of ClickHouse is waited for."""
        while not stop.is_set():
            if self._leads():
                await self._tried()
            waiting = asyncio.create_task(stop.wait())
            await asyncio.wait({waiting}, timeout=EVERY_SECONDS)
            waiting.cancel()

    async def _tried(self) -> None:
        try:
            await self.look()
        except (ClickHouseError, OSError) as error:
            log.warning("counting waits for ClickHouse: %s", str(error).partition("\n")[0][:300])
        except Exception:
            # nobody waits for this task: a mistake in it is told, and must not end the counting
            log.exception("counting failed, and is tried again")

    async def look(self) -> int:
        """Count every suspect hour again; how many counts were wrong, and are right now."""
        found = await self._client.query(self._suspects, self._pace._asdict())
        wrong = 0
        for (hour,) in found.result_rows:
            wrong += await self._counted(hour)
        return wrong

    async def _counted(self, hour: datetime) -> int:
        wrong = 0
        began = (await self._client.query(_NOW)).result_rows[0][0]
        async with self._calm:
            for level in LEVELS:
                wrong += await self._corrected(level, hour)
        if wrong:
            log.info("%s: %d counts were wrong, and are right now", hour, wrong)
        else:
            # only a look that found nothing wrong clears the hour
            await self._client.insert(
                "rollup_looks", [[hour, began]], ["hour", "looked_at"], database=DATABASE,
                column_type_names=["DateTime('UTC')", "DateTime64(3, 'UTC')"],
            )  # fmt: skip
        return wrong

    async def _corrected(self, level: str, hour: datetime) -> int:
        missing = await self._client.query(self._missing[level], {"hour": _said(hour)})
        if rows := missing.result_rows:
            await self._client.insert(
                f"deliveries_by_{level}", rows, list(_COLUMNS), database=DATABASE,
                column_type_names=list(_COLUMNS.values()),
                # the same difference may be found twice, and is then meant twice
                settings={"insert_deduplication_token": new_id()},
            )  # fmt: skip
        return len(rows)


def _said(hour: datetime) -> str:
    return hour.strftime("%Y-%m-%d %H:%M:%S")


def _text(name: str) -> str:
    text = (files("analytics") / "rollups" / f"{name}.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))
