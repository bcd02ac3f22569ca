"""`python -m loadtest.bench.costs`: what every part of the system costs, as the costs file.

In a few minutes: a system of its own, idle; each channel alone, one by one and in large batches;
mixes; the API's calls. CPU is the processes' own accounting, so other work on the machine costs
accuracy but is not counted.
"""

import asyncio
import contextlib
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console

from loadtest.bench.api_calls import ApiCalls
from loadtest.bench.books import Books
from loadtest.bench.costs import phases
from loadtest.bench.costs.feed import Feed
from loadtest.bench.costs.measure import Measure, Measured
from loadtest.bench.costs.sheet import Bytes, Sheet
from loadtest.bench.costs.topics import Topics
from loadtest.bench.costs.weigh import inserted, provider_bytes, valkey
from loadtest.bench.running import Running
from loadtest.bench.traffic import pairs, users
from loadtest.capacity import costs, overlay, readme, report
from loadtest.capacity.compare import checked
from loadtest.capacity.costs import Machine
from loadtest.capacity.drivers import of
from tocsin import settings as settings_module
from tocsin.errors import ConfigError, EngineUnavailable
from tocsin.kafka import start_producer
from tocsin.store import connect

say = Console(stderr=True).print
app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
_IDLE_SECONDS = 12


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="where the costs file goes")] = Path("costs.json"),
    write: Annotated[
        bool, typer.Option("--write", help="also renew the committed costs and the sizing of k8s/")
    ] = False,
    check: Annotated[
        Path | None,
        typer.Option(help="measure other rates and another mix, against this costs file; no out"),
    ] = None,
    people: Annotated[int, typer.Option(help="users written to", min=300)] = 4_000,
) -> None:
    """Measure (4 minutes; --check: 2), write JSON. On a machine with nothing else to do."""
    if check:
        before = costs.load(check)
        Console().print(report.comparison(checked(before, _measured(people, phases.CHECKED)[0])))
        return
    measured, sizes, load = _measured(people, phases.MEASURED)
    found = Sheet(measured, sizes, _machine(load)).costs(datetime.now(UTC))
    out.write_bytes(costs.encoded(found))
    Console().print(report.prices(found))
    say(f"written to {out}")
    if write:
        costs.COMMITTED.write_bytes(costs.encoded(found))
        overlay.write(overlay.COMMITTED, found)
        readme.renew(found)
        say(f"renewed: {costs.COMMITTED}, {overlay.COMMITTED}, {readme.PAGE}")


def _measured(people: int, chosen: Sequence[phases.Phase]) -> tuple[list[Measured], Bytes, float]:
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="tocsin-costs-") as directory:
        say("starting the system …")
        with Running(Path(directory) / "data") as running:
            os.environ.update(running.environment)
            measured, sizes = asyncio.run(_run(running, people, chosen))
    return measured, sizes, load


async def _run(
    running: Running, people: int, chosen: Sequence[phases.Phase]
) -> tuple[list[Measured], Bytes]:
    settings, crowd, couples = settings_module.load(), users(people), pairs(200)
    books = Books(settings)
    async with contextlib.AsyncExitStack() as stack:
        producer = await start_producer(settings)
        stack.push_async_callback(producer.stop)
        stack.push_async_callback(books.close)
        api = await stack.enter_async_context(ApiCalls(settings))
        topics = await stack.enter_async_context(Topics(settings))
        say(f"registering {people:,} users …")
        await api.register([*crowd, *couples])
        measure = Measure(running, Feed(settings, crowd, couples, producer, api), books, topics)
        say("warming up …")
        done = [await measure.run(phases.WARM_UP)]
        await asyncio.sleep(5)
        say("idle …")
        done.append(await measure.idle(_IDLE_SECONDS))
        for phase in chosen:
            say(f"{phase.name} …")
            done.append(await measure.run(phase))
        redis = await connect(settings)
        stack.push_async_callback(redis.aclose)
        counts = {name: sum(of(name, m.phase.counts) for m in done) for name in _COUNTED}
        counts |= {
            "users": people + len(couples),
            "notifications": counts["deliveries"],
            "through the API": counts["rest"] + counts["batch items"],
        }
        sizes = Bytes(
            settings.partitions,
            await valkey(redis, counts),
            await provider_bytes(settings.sandbox_url),
            await inserted(settings) / counts["deliveries"],
        )
    return done[1:], sizes


_COUNTED = (
    "deliveries", "inapp", "otp", "sign-ups", "stock changes", "clicks", "rest", "batch items",
)  # fmt: skip


def _machine(load: float) -> Machine:
    cpu = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return Machine(
        cpu=cpu,
        cores=psutil.cpu_count() or 1,
        memory=psutil.virtual_memory().total,
        python=platform.python_version(),
        load=round(load, 2),
    )


if __name__ == "__main__":
    try:
        app()
    except (EngineUnavailable, ConfigError) as error:
        sys.exit(f"tocsin costs: {error}")
