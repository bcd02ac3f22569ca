"""`python -m streams.bench_route`: what the router costs per request, in one process, no network.

The real router over stand-ins for store and producer: what is measured is every step from the bytes
of a Kafka record to the bytes of the records it causes. CPU time, so that neighbours count little.
"""

import asyncio
import statistics
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Column, Table

from streams.bench_seams import STAGES, Bench
from streams.bench_stand_ins import traffic
from tocsin.process import collect_rarely
from tocsin.records import encode

MIXES: Final = {"one channel": True, "the type's channels": False}


async def measure(requests: int, runs: int) -> dict[str, Any]:
    """By mix: µs of CPU per request and per delivery, and by stage; each the median of the runs."""
    found = {}
    for name, one_channel in MIXES.items():
        bench, batches = Bench(), traffic(requests, one_channel)
        await bench.run(batches[:1])  # words are compiled, caches are filled
        done = [await bench.run(batches) for _ in range(runs)]
        stages = {
            stage: statistics.median(run.spent[stage] for run in done) / 1000 / requests
            for stage in STAGES
        }
        whole = statistics.median(sum(run.spent.values()) for run in done) / 1000
        deliveries = done[0].deliveries
        found[name] = {
            "requests": requests,
            "deliveries": deliveries,
            "us_per_request": round(whole / requests, 2),
            "us_per_delivery": round(whole / deliveries, 2),
            "stages_us_per_request": {stage: round(us, 2) for stage, us in stages.items()},
        }
    return found


def table(found: Mapping[str, Any]) -> Table:
    """The figures for people."""
    right = [Column(name, justify="right") for name in found]
    shown = Table("µs of CPU", *right, title="The router alone, in process")
    for stage in STAGES:
        costs = (mix["stages_us_per_request"][stage] for mix in found.values())
        shown.add_row(f"  {stage}", *(f"{us:.1f}" for us in costs))
    for name in ("us_per_request", "us_per_delivery"):
        shown.add_row(name[3:].replace("_", " "), *(f"{mix[name]:.1f}" for mix in found.values()))
    return shown


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    requests: Annotated[int, typer.Option(help="in each run", min=2_000)] = 20_000,
    runs: Annotated[int, typer.Option(help="of which the median counts", min=1)] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object")] = False,
) -> None:
    """Measure and print."""
    collect_rarely()  # as the worker does
    found = asyncio.run(measure(requests, runs))
    if as_json:
        sys.stdout.buffer.write(encode(found) + b"\n")
    else:
        Console().print(table(found))


if __name__ == "__main__":
    app()
