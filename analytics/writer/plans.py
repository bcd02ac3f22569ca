"""The plan of a block, kept in ClickHouse beside the data: the offsets, before the rows.

Not in the commit's metadata, where Kafka has room for 4 KB of it: the embedded broker (Tansu 0.6)
accepts metadata and gives back nothing. And a plan that lives with the rows is lost only with them.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import TopicPartition
from clickhouse_connect.driver import AsyncClient

from analytics.client import DATABASE
from analytics.writer.block import Block, Range, read

_COLUMNS = {
    "topic": "LowCardinality(String)",
    "partition": "UInt32",
    "start": "UInt64",
    "ranges": "String",
    "at": "DateTime64(6, 'UTC')",
}
_LATEST = "SELECT topic, partition, start, ranges FROM tocsin.writer_plans FINAL"


class Plan(NamedTuple):
    """The last block planned for a partition: where it begins there, and all of its ranges."""

    start: int
    ranges: tuple[Range, ...]


class Plans:
    """One row per partition; the latest plan replaces the one before."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def write(self, blocks: Iterable[Block]) -> None:
        """Durable when it returns; raises as clickhouse-connect does."""
        at = datetime.now(UTC)
        rows = [
            (block.topic, r.partition, r.start, block.plan, at)
            for block in blocks
            for r in block.ranges
        ]
        await self._client.insert(
            "writer_plans",
            rows,
            column_names=list(_COLUMNS),
            column_type_names=list(_COLUMNS.values()),
            database=DATABASE,
        )

    async def latest(self) -> Mapping[TopicPartition, Plan]:
        """The last plan of every partition ever written."""
        result = await self._client.query(_LATEST)
        return {
            TopicPartition(topic, partition): Plan(start, read(ranges))
            for topic, partition, start, ranges in result.result_rows
        }
