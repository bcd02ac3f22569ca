"""The measuring: the writer's cost of a row, bytes on disk, and how long questions take."""

import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from clickhouse_connect.driver import AsyncClient

from analytics.named import query
from analytics.writer.recount import Pace, Recount
from analytics.writer.sink import Sink
from analytics.writer.tables import Table
from loadtest.bench.storage.day import Day, start_of
from loadtest.bench.storage.engine import Engine
from loadtest.bench.storage.feed import Feed

RAW: Final = ("requests", "accepted", "deliveries", "decisions")
ROLLUPS: Final = ("deliveries_by_minute", "deliveries_by_hour", "deliveries_by_day")
_TIMES: Final = 20
_TABLES: Final = (
    "SELECT table, sum(rows), sum(bytes_on_disk), count() FROM system.parts"
    " WHERE database = 'tocsin' AND active GROUP BY table"
)
_COLUMNS: Final = (
    "SELECT column, sum(column_bytes_on_disk) AS bytes FROM system.parts_columns"
    " WHERE database = 'tocsin' AND table = {table:String} AND active"
    " GROUP BY column ORDER BY bytes DESC"
)
_ONE: Final = "SELECT notification_id FROM tocsin.deliveries LIMIT 1 OFFSET 1000"
_A_MONTH: Final = (
    "INSERT INTO tocsin.deliveries_by_hour SELECT at - toIntervalDay(n), channel, type,"
    " template_id, template_version, provider, state, deliveries FROM tocsin.deliveries_by_hour"
    " ARRAY JOIN range(1, 30) AS n"
)


async def written(
    engine: Engine, client: AsyncClient, deliveries: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Write them through the writer's own code; what that cost. Making them is not counted."""
    rows: Counter[str] = Counter()

    def wrote(table: Table, columns: Any) -> None:
        rows[table.name] += len(columns[0])

    sink = Sink(client, _always, wrote)
    seconds = cpu = 0.0
    rates = []
    before = engine.cpu()
    feed = Feed(Day(start_of(datetime.now(UTC))))
    for number, blocks in enumerate(feed.blocks(deliveries)):
        sent, wall, used = rows.total(), time.monotonic(), time.process_time()
        await sink.plan(blocks)
        await sink.insert(blocks)
        used = time.process_time() - used
        seconds += time.monotonic() - wall
        cpu += used
        rates.append((rows.total() - sent) / used)
        if number % 50 == 49:
            say(f"{rows['deliveries']:,} deliveries …")
    return {
        "rows": dict(rows),
        "all_rows": rows.total(),
        "seconds": round(seconds, 1),
        "rows_per_second": round(rows.total() / seconds),
        "writer_cpu_seconds": round(cpu, 1),
        "writer_rows_per_cpu_second": round(rows.total() / cpu),
        "writer_rows_per_cpu_second_by_block": _spread(rates),
        "engine_cpu_seconds": round(engine.cpu() - before, 1),
    }


async def on_disk(client: AsyncClient, deliveries: int) -> dict[str, Any]:
    """Bytes by table, per row and per delivery, and of `deliveries` by column."""
    found = await client.query(_TABLES)
    tables = {
        str(table): {"rows": int(rows), "bytes": int(size), "parts": int(parts)}
        for table, rows, size, parts in found.result_rows
        if table in (*RAW, *ROLLUPS)
    }
    rows = tables["deliveries"]["rows"]
    columns = await client.query(_COLUMNS, {"table": "deliveries"})
    size = sum(table["bytes"] for table in tables.values())
    return {
        "tables": {
            name: table
            | {
                "bytes_per_row": round(table["bytes"] / table["rows"], 2),
                "bytes_per_delivery": round(table["bytes"] / deliveries, 2),
            }
            for name, table in sorted(tables.items())
        },
        "columns_bytes_per_row": {
            str(column): round(int(size) / rows, 3) for column, size in columns.result_rows
        },
        "all_bytes_per_delivery": round(size / deliveries, 2),
    }


async def merged(client: AsyncClient) -> float:
    """Merge every table to its end, as a quiet night would; seconds."""
    begun = time.monotonic()
    for table in (*RAW, *ROLLUPS):
        await client.command(f"OPTIMIZE TABLE tocsin.{table} FINAL")
    return round(time.monotonic() - begun, 1)


async def asked(client: AsyncClient) -> dict[str, Any]:
    """Milliseconds of questions: the dashboard's from the rollup, over the day and over a month of
    such days, the same from the raw table, and one notification's path."""
    hours = {"hours": 24 * 31}
    one = str((await client.query(_ONE)).result_rows[0][0])
    path = (files("api") / "sql" / "notification.sql").read_text()
    names = [f"{one}:{channel}" for channel in ("inapp", "push", "sms", "email")]
    trace = {"id": one, "deliveries": names}
    raw = "SELECT hour, channel, state, sum(deliveries) FROM tocsin.deliveries_hourly GROUP BY ALL"
    recount = Recount(client, _Calm(), lambda: True, Pace(0, 0, 0))
    begun = time.monotonic()
    wrong = await recount.look()
    counting = time.monotonic() - begun
    found = {
        "recount_seconds": round(counting, 2),
        "recount_wrong": wrong,
        "hourly_ms": await _timed(lambda: client.query(query("hourly"), hours)),
        "notification_ms": await _timed(lambda: client.query(path, trace)),
        "raw_hourly_ms": await _timed(lambda: client.query(raw), 3),
        "totals_ms": await _timed(lambda: client.query(query("totals")), 3),
    }
    await client.command(_A_MONTH)
    found["month_hourly_ms"] = await _timed(lambda: client.query(query("hourly"), hours))
    return found


class _Calm:
    async def __aenter__(self) -> None:
        """Nothing is written beside it."""

    async def __aexit__(self, *_: object) -> None:
        """Nothing was."""


async def _timed(ask: Callable[[], Awaitable[Any]], times: int = _TIMES) -> Mapping[str, float]:
    taken = []
    for _ in range(times):
        begun = time.monotonic()
        await ask()
        taken.append(1000 * (time.monotonic() - begun))
    return _spread(taken)


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "min": round(min(values), 1),
        "median": round(statistics.median(values), 1),
        "max": round(max(values), 1),
    }


async def _always(_: float) -> bool:
    return True
