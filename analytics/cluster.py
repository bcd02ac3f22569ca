"""Where tables are on a cluster of ClickHouse servers (TOCSIN_CLICKHOUSE_CLUSTER): pure.

The migrations are written for one engine. On a cluster the tables they speak of are made on every
shard, replicated, in the database `tocsin_shard`; under their own names in `tocsin` stands a
Distributed table over each, which is what everybody else reads and writes. Views stay in `tocsin`.
All rows of a notification are on one shard: there FINAL and the materialised views work.
"""

import re
from collections.abc import Mapping
from typing import Final

from analytics.client import DATABASE

SHARD: Final = "tocsin_shard"
SHARDED_BY: Final[Mapping[str, str]] = {
    "requests": "notification_id", "accepted": "notification_id", "deliveries": "notification_id",
    "decisions": "notification_id", "engagement": "notification_id", "inventory": "sku",
    "dead_letters": "topic, partition, offset", "erasures": "user_id",
    "writer_plans": "topic, partition", "migrations": "version", "rollup_touches": "hour",
    "rollup_looks": "hour", "deliveries_by_minute": "at", "deliveries_by_hour": "at",
    "deliveries_by_day": "at", "waves": "notification_id",
}  # fmt: skip
"""Rows that replace one another have these in common."""

_TABLES: Final = re.compile(
    r"(CREATE|ALTER|DROP) TABLE|EXCHANGE TABLES|INSERT INTO|CREATE MATERIALIZED VIEW"
    r"|DROP VIEW IF EXISTS"
)
_CHANGED: Final = re.compile(
    rf"(?:CREATE TABLE IF NOT EXISTS|ALTER TABLE|EXCHANGE TABLES) {SHARD}\.(\w+)"
)
_NAMES: Final = re.compile(rf"\b{DATABASE}\.(?=\w)")


def database(cluster: str) -> str:
    """Where the tables themselves are, the ones that can be altered."""
    return SHARD if cluster else DATABASE


def on(cluster: str) -> str:
    """The clause of a statement that is for every server."""
    return f"ON CLUSTER '{cluster}'" if cluster else ""


def placed(statement: str, cluster: str) -> list[str]:
    """A statement of a migration as what is to be run: on one engine itself; on a cluster its
    tables by their place, and after each that made or changed one, the Distributed table anew."""
    lines = (line for line in statement.splitlines() if not line.startswith("--"))
    code = "\n".join(lines).strip()
    if not cluster or not _TABLES.match(code):
        return [statement]
    local = _NAMES.sub(f"{SHARD}.", code)
    changed = _CHANGED.match(local)
    # what is only made to be exchanged is nobody's to read
    if not changed or changed[1] not in SHARDED_BY:
        return [local]
    return [local, distributed(changed[1], cluster)]


def distributed(table: str, cluster: str) -> str:
    """The table everybody reads and writes."""
    return (
        f"CREATE OR REPLACE TABLE {DATABASE}.{table} {on(cluster)} AS {SHARD}.{table}"
        f" ENGINE = Distributed('{cluster}', '{SHARD}', '{table}',"
        f" cityHash64({SHARDED_BY[table]}))"
    )
