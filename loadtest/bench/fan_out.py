"""`python -m loadtest.bench.fan_out`: a broadcast to a million people, on a store and a broker of
its own: how many are gone through in a second, and how much memory the worker has meanwhile.

Everybody passes the segment, so every profile is read, decoded, matched and told, and every request
is durable before its page counts. Afterwards the requests are counted in the log.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import psutil
import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from loadtest.bench.engines import Engines
from loadtest.people import person
from tocsin.clock import SystemClock
from tocsin.errors import EngineUnavailable
from tocsin.ids import new_id
from tocsin.kafka import ensure_topics, start_producer
from tocsin.records import Audience, Broadcast, Match, Profile, encode
from tocsin.settings import Settings
from tocsin.store import Broadcasts, Profiles, connect, keys
from tocsin.store.broadcasts import Progress
from tocsin.topics import BROADCASTS, REQUESTS_LOW

say = Console(stderr=True).print
app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
BAR: Final = 20_000
"""People a second."""

_LOT: Final = 1_000
_COUNTRIES: Final = ("AT", "CH", "DE", "FR", "IT", "NL", "PL", "SE")
_MARKS: Final = (10, 50)
"""Per cent of the people, at which the worker's memory is read; and at the end."""

_SEGMENT: Final = (Match("country", "in", _COUNTRIES), Match("age", "gte", 18.0))


@app.command()
def main(
    people: Annotated[int, typer.Option(help="people told", min=1_000)] = 1_000_000,
    out: Annotated[Path, typer.Option(help="where the JSON goes")] = Path("bench-fan-out.json"),
) -> None:
    """Start engines in a temporary directory, measure, print, write JSON, stop them."""
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory,
        Engines(Path(directory)) as engines,
    ):
        found = asyncio.run(_run(engines, people))
    out.write_text(json.dumps(found, indent=2) + "\n")
    Console().print(_table(found))
    say(f"written to {out}")


async def _run(engines: Engines, people: int) -> dict[str, Any]:
    settings = engines.settings
    await ensure_topics(settings)
    redis = await connect(settings)
    try:
        await redis.set(keys.STORE_READY, 1)
        say(f"storing {people:,} people …")
        loading = await _load(Profiles(redis), people)
        pid = engines.worker("streams.fan_out_worker", "streams-fan-out")
        say("the broadcast …")
        found = await _measure(settings, Broadcasts(redis), psutil.Process(pid))
    finally:
        await redis.aclose()
    say("counting the requests …")
    requests, once = await _count(settings)
    return {
        "people": people,
        "stored_per_second": round(people / loading),
        **found,
        "requests": requests,
        "people_told_once": once,
        "bar_per_second": BAR,
        "passed": found["per_second"] >= BAR and requests == once == people,
    }


async def _load(profiles: Profiles, people: int) -> float:
    """Straight into the store, as registering does it; seconds."""
    began = time.monotonic()
    for start in range(0, people, _LOT):
        lot = [_person(n) for n in range(start, min(start + _LOT, people))]
        await profiles.change_many({each.user_id: _always(each) for each in lot})
    return time.monotonic() - began


def _person(number: int) -> Profile:
    country, age = _COUNTRIES[number % len(_COUNTRIES)], float(18 + number % 70)
    attributes: dict[str, bool | float | str] = {"country": country, "age": age, "vip": False}
    return replace(person(f"customer-{number}"), topics=("news",), attributes=attributes)


def _always(profile: Profile) -> Any:
    return lambda _: profile


async def _measure(
    settings: Settings, broadcasts: Broadcasts, worker: psutil.Process
) -> dict[str, Any]:
    broadcast = Broadcast(
        new_id(), Audience(segment=_SEGMENT), "SALE_OFFER", SystemClock().now(),
        data={"title": "Winter sale", "body": "20 % off everything until Sunday", "code": "W20"},
    )  # fmt: skip
    idle, cpu = worker.memory_info().rss, _cpu(worker)
    producer = await start_producer(settings)
    await producer.send_and_wait(BROADCASTS.name, encode(broadcast), partition=0)
    await producer.stop()
    rss = {0: idle}
    peak, marks = idle, list(_MARKS)
    while (progress := await broadcasts.progress(broadcast.broadcast_id)) is None or (
        progress.state != "done"
    ):
        now = worker.memory_info().rss
        peak = max(peak, now)
        if marks and progress and (progress.percent or 0) >= marks[0]:
            rss[marks.pop(0)] = now
        await asyncio.sleep(0.05)
    rss[100] = worker.memory_info().rss
    return _report(progress, rss, max(peak, rss[100]), _cpu(worker) - cpu)


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _report(progress: Progress, rss: dict[int, int], peak: int, cpu: float) -> dict[str, Any]:
    assert progress.started_at
    assert progress.ended_at
    seconds = (progress.ended_at - progress.started_at).total_seconds()
    return {
        "seconds": round(seconds, 2),
        "looked_at": progress.looked_at,
        "told": progress.told,
        "per_second": round(progress.looked_at / max(seconds, 0.001)),
        "cpu_us_per_person": round(1e6 * cpu / max(progress.looked_at, 1), 1),
        "rss_mb": {f"{mark}%": round(value / 1e6, 1) for mark, value in sorted(rss.items())},
        "rss_mb_peak": round(peak / 1e6, 1),
    }


class _One(msgspec.Struct):
    notification_id: str


class _Many(msgspec.Struct):
    requests: list[_One]


async def _count(settings: Settings) -> tuple[int, int]:
    """Requests in the log, and how many different ones."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(), auto_offset_reset="earliest"
    )
    await consumer.start()
    places = [TopicPartition(REQUESTS_LOW.name, p) for p in range(settings.partitions)]
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    count, seen, decoder = 0, set[bytes](), msgspec.json.Decoder(_Many)
    while polled := await consumer.getmany(timeout_ms=2_000):
        for records in polled.values():
            for name in _ids(records, decoder):
                count += 1
                seen.add(name)
    await consumer.stop()
    return count, len(seen)


def _ids(records: Sequence[Any], decoder: "msgspec.json.Decoder[_Many]") -> Iterator[bytes]:
    for record in records:
        for request in decoder.decode(record.value).requests:
            yield bytes.fromhex(request.notification_id.replace("-", ""))


def _table(found: dict[str, Any]) -> Table:
    table = Table(title="Broadcast fan-out", show_header=False)
    verdict = "passed" if found["passed"] else "NOT passed"
    table.add_row(
        "people gone through",
        f"{found['per_second']:,}/s ({found['people']:,} in {found['seconds']:.1f} s); bar "
        f"{found['bar_per_second']:,}/s: {verdict}",
    )
    table.add_row("worker's CPU", f"{found['cpu_us_per_person']:.1f} µs a person")
    marks = " · ".join(f"{mark}: {mb:,.0f} MB" for mark, mb in found["rss_mb"].items())
    table.add_row("worker's memory (RSS)", f"{marks} · peak: {found['rss_mb_peak']:,.0f} MB")
    table.add_row("requests in the log", f"{found['requests']:,}")
    table.add_row("of different people", f"{found['people_told_once']:,}")
    return table


if __name__ == "__main__":
    try:
        app()
    except EngineUnavailable as error:
        sys.exit(f"tocsin bench: {error}")
