"""`python -m loadtest.bench.storage --rows 5000000`: bytes per delivery, rows per second of the
writer, and how long a dashboard waits, on an engine of its own in a temporary directory."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import uvloop
from clickhouse_connect.driver import options
from rich.console import Console
from rich.table import Table

from analytics.client import connect
from analytics.migrate import migrate
from loadtest.bench.storage import measure, mix
from loadtest.bench.storage.engine import Engine
from tocsin.errors import EngineUnavailable

say = Console(stderr=True).print
app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
_DAYS: Final = 30
_BYTES_BAR, _MS_BAR, _RATE_BAR = 40.0, 300.0, 50_000


@app.command()
def main(
    rows: Annotated[int, typer.Option(help="deliveries that end", min=10_000)] = 5_000_000,
    out: Annotated[Path, typer.Option(help="where the JSON goes")] = Path("bench-storage.json"),
) -> None:
    """Write a day like a large shop's through the writer's own code, measure, print, write JSON."""
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory,
        Engine(Path(directory)) as engine,
    ):
        found = uvloop.run(_measured(engine, rows))
    out.write_text(json.dumps(found, indent=2) + "\n")
    Console().print(_table(found))
    say(f"written to {out}")


async def _measured(engine: Engine, deliveries: int) -> dict[str, Any]:
    # as the writer does: see analytics/writer/__main__.py
    options.__dict__.update(pd=None, np=None)
    client = await connect(engine.settings, database="default")
    try:
        await migrate(client)
        writing = await measure.written(engine, client, deliveries, say)
        ended = writing["rows"]["accepted"]
        as_written = await measure.on_disk(client, ended)
        say("merging …")
        merging = await measure.merged(client)
        return {
            "deliveries": ended,
            "writing": writing,
            "as_written": as_written,
            "merge_seconds": merging,
            "merged": await measure.on_disk(client, ended),
            "questions": await measure.asked(client),
            "engine_memory_bytes": engine.memory(),
        }
    finally:
        await client.close()


def _table(found: dict[str, Any]) -> Table:
    table = Table(title=f"Storage of {found['deliveries']:,} deliveries", show_header=False)
    writing, disk, questions = found["writing"], found["merged"], found["questions"]
    for name, each in disk["tables"].items():
        table.add_row(
            name,
            f"{each['rows']:,} rows, {each['bytes_per_row']} B a row,"
            f" {each['bytes_per_delivery']} B a delivery"
            f" (not merged {found['as_written']['tables'][name]['bytes_per_row']} B a row)",
        )
    for column, size in disk["columns_bytes_per_row"].items():
        table.add_row(f"  deliveries.{column}", f"{size} B a row")
    each = disk["tables"]["deliveries"]["bytes_per_row"]
    table.add_row(f"deliveries, bar {_BYTES_BAR} B a row", f"{each} B")
    table.add_row("all of it", f"{disk['all_bytes_per_delivery']} B a delivery")
    month = mix.DELIVERIES_A_DAY * _DAYS
    table.add_row(
        f"{_DAYS} days of {mix.DELIVERIES_A_DAY:,}",
        f"deliveries {month * disk['tables']['deliveries']['bytes_per_delivery'] / 1e9:.1f} GB,"
        f" all of it {month * disk['all_bytes_per_delivery'] / 1e9:.1f} GB",
    )
    blocks = writing["writer_rows_per_cpu_second_by_block"]
    table.add_row(
        f"writer, bar {_RATE_BAR:,} rows a second of one core",
        f"{writing['writer_rows_per_cpu_second']:,} (by block: least {blocks['min']:,.0f}, median"
        f" {blocks['median']:,.0f})",
    )
    table.add_row(
        "CPU",
        f"writer {writing['writer_cpu_seconds']} s, engine {writing['engine_cpu_seconds']} s for"
        f" {writing['all_rows']:,} rows, merges included",
    )
    table.add_row(
        "wall clock, both", f"{writing['rows_per_second']:,} rows/s, {writing['seconds']} s"
    )
    for name in ("hourly_ms", "month_hourly_ms", "raw_hourly_ms", "notification_ms", "totals_ms"):
        took = questions[name]
        table.add_row(name, f"least {took['min']}, median {took['median']}, most {took['max']}")
    table.add_row("bar of hourly_ms", f"{_MS_BAR}")
    table.add_row(
        "counted again",
        f"{questions['recount_wrong']} wrong, {questions['recount_seconds']} s for every hour",
    )
    return table


if __name__ == "__main__":
    try:
        app()
    except EngineUnavailable as error:
        sys.exit(f"bench.storage: {error}")
