"""`make bench`: the router, a broadcast and a shard alone, the bare loop, Tocsin end to end, and
one-time passwords, in one run.

The same requests from the same Kafka topic go, in turn, through the fastest plain asyncio program
we could write and through the whole of Tocsin; what counts as done is a row in ClickHouse.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from loadtest.bench import parts
from loadtest.bench.api_calls import ApiCalls
from loadtest.bench.books import Books, Sample, rate, slowest
from loadtest.bench.journal import Journal
from loadtest.bench.otp import ask_all, latencies
from loadtest.bench.resting import Resting, resting
from loadtest.bench.resting import report as parts_held
from loadtest.bench.running import Running
from loadtest.bench.traffic import Traffic, users
from tocsin import settings as settings_module
from tocsin.errors import EngineUnavailable
from tocsin.kafka import start_producer
from tocsin.settings import Settings

say = Console(stderr=True).print
app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
BULK_WORKER = "streams-1"
WARM_UP = 8


@app.command()
def main(
    seconds: Annotated[int, typer.Option(help="length of the measured window", min=5)] = 60,
    people: Annotated[int, typer.Option(help="users written to", min=100)] = 10_000,
    bare_seconds: Annotated[int, typer.Option(help="length of the bare loop's run", min=5)] = 20,
    otp: Annotated[int, typer.Option(help="log-ins in each OTP run", min=20)] = 200,
    broadcast: Annotated[
        int, typer.Option(help="people the broadcast is for, at least 1,000; 0: none", min=0)
    ] = 200_000,
    sockets: Annotated[
        int, typer.Option(help="connections of the sockets' part; 0: none", min=0)
    ] = 20_000,
    out: Annotated[Path, typer.Option(help="where the JSON goes")] = Path("bench.json"),
) -> None:
    """Start a system of its own in a temporary directory, measure, print, write JSON, stop it."""
    alone = _alone(broadcast, sockets)
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory:
        say("starting the system …")
        with Running(Path(directory) / "data") as running:
            os.environ.update(running.environment)
            bench = Bench(running, settings_module.load(), seconds, people, bare_seconds, otp)
            found = asyncio.run(bench.run()) | alone
    out.write_text(json.dumps(found, indent=2) + "\n")
    Console().print(_table(found))
    say(f"written to {out}")


def _alone(broadcast: int, sockets: int) -> dict[str, Any]:
    """What is measured while nothing else runs."""
    say("the router alone …")
    found: dict[str, Any] = {"router": parts.router(), "fan_out": None, "sockets": None}
    if broadcast:
        say(f"a broadcast to {broadcast:,} people …")
        found["fan_out"] = parts.fan_out(broadcast)
    if sockets:
        say(f"{sockets:,} sockets …")
        found["sockets"] = parts.sockets(sockets)
    return found


class Bench:
    """The run, step by step; each returns its part of the report."""

    def __init__(
        self, running: Running, settings: Settings, seconds: int, people: int, bare: int, otp: int
    ) -> None:
        self._running, self._settings = running, settings
        self._seconds, self._bare_seconds, self._otp = seconds, bare, otp
        self._people = users(people)
        self._traffic = Traffic(settings, self._people)
        self._resting = Resting(0, {})

    async def run(self) -> dict[str, Any]:
        """Everything in turn; the bulk worker rests while the bare loop runs."""
        producer = await start_producer(self._settings)
        try:
            async with ApiCalls(self._settings) as api, Journal(self._settings.sandbox_url) as log:
                say(f"registering {len(self._people):,} users …")
                await api.register(self._people)
                say("an idle system …")
                self._resting = await resting(self._running)
                say("OTP on an idle system …")
                idle = await self._idle_otp(api, log)
                self._running.control("stopProcess", BULK_WORKER)
                await self._traffic.produce(producer, 200_000)
                say("the bare loop …")
                bare = self._bare()
                say("Tocsin …")
                tocsin, loaded = await self._loaded(producer, api, log)
                journal = await log.summary()
        finally:
            await producer.stop()
        ratio = round(tocsin["per_second"] / bare["per_second"], 3)
        return {
            "bare": bare,
            "tocsin": tocsin,
            "ratio": ratio,
            "otp_idle_ms": idle,
            "otp_loaded_ms": loaded,
            "sandbox_duplicates": journal["duplicates"],
        }

    async def _idle_otp(self, api: ApiCalls, log: Journal) -> dict[str, float]:
        await log.skip()
        asked = await ask_all(api, [p.user_id for p in self._people[: self._otp]], per_second=20)
        return latencies(asked, await log.received(set(asked), seconds=30))

    def _bare(self) -> dict[str, Any]:
        argv = [sys.executable, "-m", "loadtest.bare", "--seconds", str(self._bare_seconds)]
        done = subprocess.run(
            argv, check=True, capture_output=True, timeout=self._bare_seconds + 120
        )
        return dict(json.loads(done.stdout))

    async def _loaded(
        self, producer: Any, api: ApiCalls, log: Journal
    ) -> tuple[dict[str, Any], dict[str, float]]:
        started = time.time()
        self._running.control("startProcess", BULK_WORKER)
        self._running.ready(BULK_WORKER, started)
        books = Books(self._settings)
        watching = asyncio.create_task(books.watch())
        feeding = asyncio.create_task(self._feed(producer, books))
        await asyncio.sleep(WARM_UP)
        await log.skip()
        first, before = len(books.samples) - 1, self._running.cpu()
        held = self._running.usage()
        start = time.monotonic()
        logins = [p.user_id for p in self._people[self._otp : 2 * self._otp]]
        asked = await ask_all(api, logins, per_second=self._otp / self._seconds)
        await asyncio.sleep(max(0, start + self._seconds - time.monotonic()))
        after, samples = self._running.cpu(), books.samples[first:]
        told = samples[-1].ended - samples[0].ended
        kept = parts_held(self._resting, held, self._running.usage(), told)
        for task in (feeding, watching):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await books.close()
        received = await log.received(set(asked), seconds=30)
        report = _report(samples, before, after) | {"parts": kept}
        return report, latencies(asked, received)

    async def _feed(self, producer: Any, books: Books) -> None:
        """Keep the topic ahead of the system, so that it is never the producer that is measured."""
        start = self._traffic.produced
        while True:
            ended = books.samples[-1].ended if books.samples else 0
            if self._traffic.produced - ended < 100_000:
                await self._traffic.produce(producer, 20_000)
            await asyncio.sleep(0.2 if self._traffic.produced > start else 0.05)


def _report(
    samples: list[Sample], before: Mapping[str, float], after: Mapping[str, float]
) -> dict[str, Any]:
    count = samples[-1].ended - samples[0].ended
    used = {part: after[part] - before.get(part, 0) for part in after}
    return {
        "per_second": round(rate(samples), 1),
        "slowest_10s_per_second": round(slowest(samples, 10), 1),
        "seconds": round(samples[-1].at - samples[0].at, 1),
        "deliveries": count,
        "cpu_seconds_per_1000": round(1000 * sum(used.values()) / max(count, 1), 3),
        "cpu_us_per_delivery": {
            part: round(1e6 * seconds / max(count, 1), 1)
            for part, seconds in sorted(used.items(), key=lambda item: -item[1])
        },
    }


def _table(found: Mapping[str, Any]) -> Table:
    table = Table(title="Tocsin bench", show_header=False)
    bare, tocsin = found["bare"], found["tocsin"]
    table.add_row("bare loop", f"{bare['per_second']:,.0f} deliveries/s")
    table.add_row(
        "Tocsin, Kafka record to ClickHouse row",
        f"{tocsin['per_second']:,.0f} deliveries/s for {tocsin['seconds']:.0f} s "
        f"(slowest 10 s: {tocsin['slowest_10s_per_second']:,.0f})",
    )
    table.add_row("ratio", f"{found['ratio']:.2f}")
    table.add_row("CPU seconds per 1,000, all processes", f"{tocsin['cpu_seconds_per_1000']:.2f}")
    for part, cost in tocsin["cpu_us_per_delivery"].items():
        table.add_row(f"  {part}", f"{cost:,.0f} µs per delivery")
    for part, held in tocsin.get("parts", {}).items():
        table.add_row(
            f"  {part}",
            f"{held['rss_mb_idle']:,.0f} MB idle, {held['rss_mb_loaded']:,.0f} loaded; "
            f"{held['idle_cpu_percent']} % of a core idle; "
            f"{held['written_bytes_per_delivery']:,.0f} B to disk per delivery",
        )
    for name in ("idle", "loaded"):
        otp = found[f"otp_{name}_ms"]
        table.add_row(
            f"OTP to the provider, {name}",
            f"p50 {otp['p50']} · p95 {otp['p95']} · p99 {otp['p99']} ms ({otp['asked']} asked, "
            f"{otp['missing']} missing)",
        )
    for row in parts.rows(found["router"], found["fan_out"], found["sockets"]):
        table.add_row(*row)
    table.add_row("sent twice, by the sandbox's journal", str(found["sandbox_duplicates"]))
    return table


if __name__ == "__main__":
    try:
        app()
    except EngineUnavailable as error:
        sys.exit(f"tocsin bench: {error}")
