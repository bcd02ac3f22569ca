"""Blocks into ClickHouse: the plan first, then the rows, again and again until they are there."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from analytics.client import DATABASE
from analytics.writer.block import Block
from analytics.writer.plans import Plans
from analytics.writer.rows import fill
from analytics.writer.tables import TABLES, Table
from tocsin.metrics import ROWS, SKIPPED

log = logging.getLogger("tocsin.writer")
T = TypeVar("T")
Wait = Callable[[float], Awaitable[bool]]
"""Let so many seconds pass; False when one should give up instead."""

Wrote = Callable[[Table, Sequence[Sequence[Any]]], None]
"""Told of every insert's table and columns, once they are durable."""

_COUNTED_ONCE: Final = {"deduplicate_blocks_in_dependent_materialized_views": 1}
"""A block that was half counted when ClickHouse died is counted to its end when it comes again."""

_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0


class GaveUp(Exception):
    """ClickHouse is away and there is no time left to wait: the rows stay in Kafka."""


@dataclass(frozen=True)
class Shipment:
    """One insert: the same bytes and the same token every time it is sent."""

    table: Table
    columns: Sequence[Sequence[Any]]
    token: str

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.columns[0])


class Sink:
    """Where blocks go. One outage is one line in the log, and one when it is over. Whoever holds
    `calm` finds no insert of this sink half done."""

    def __init__(self, client: AsyncClient, wait: Wait, wrote: Wrote) -> None:
        self._client, self._wait, self._wrote = client, wait, wrote
        self.calm = asyncio.Lock()
        self._plans = Plans(client)

    async def plan(self, blocks: Sequence[Block]) -> None:
        """Write down what the blocks are. Raises `GaveUp`."""
        await self.insist(lambda: self._plans.write(blocks))

    async def insert(self, blocks: Sequence[Block]) -> None:
        """Insert what `plan` wrote down; durable when it returns. Raises `GaveUp`."""
        for shipment in shipments(blocks):
            async with self.calm:
                await self.insist(partial(self._send, shipment))
            self._wrote(shipment.table, shipment.columns)
            ROWS.labels(shipment.table.name).inc(shipment.rows)

    async def _send(self, shipment: Shipment) -> None:
        await self._client.insert(
            shipment.table.name,
            shipment.columns,
            column_names=shipment.table.names,
            column_type_names=shipment.table.types,
            column_oriented=True,
            database=DATABASE,
            settings={"insert_deduplication_token": shipment.token, **_COUNTED_ONCE},
        )

    async def insist(self, send: Callable[[], Awaitable[T]]) -> T:
        """`send` until ClickHouse takes it. Raises `GaveUp` when there is no time to wait."""
        wait, since = _FIRST_WAIT, 0.0
        while True:
            try:
                done = await send()
            except (ClickHouseError, OSError) as error:
                if not since:
                    since = time.monotonic()
                    log.warning("ClickHouse takes no rows, they wait in Kafka: %s", _line(error))
                if not await self._wait(wait):
                    raise GaveUp from error
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                if since:
                    log.info("ClickHouse is back after %.0f s", time.monotonic() - since)
                return done


def shipments(blocks: Sequence[Block]) -> list[Shipment]:
    """The inserts of these blocks, in the order of `TABLES`."""
    found = []
    for block in blocks:
        filled = fill(block.topic, block.records)
        SKIPPED.labels(block.topic).inc(filled.skipped)
        if filled.skipped:
            log.warning("%s: %d records cannot be read, left out", block.plan, filled.skipped)
        token = block.token
        found += [
            Shipment(table, table.fill(rows), token) for table, rows in filled.rows.items() if rows
        ]
    return sorted(found, key=lambda shipment: TABLES.index(shipment.table))


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
