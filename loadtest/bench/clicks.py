"""`python -m loadtest.bench.clicks`: how long `GET /c/{token}` takes at a constant rate, on an
API, a store and a broker of its own.

An open model: each click has the moment at which it is meant to be made, whatever became of those
before, and its time runs from then. The server's own time is what `/metrics` says of the route.
Afterwards the events are counted in the log: a fast answer that kept nothing would be none.
"""

import asyncio
import json
import re
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import psutil
import typer
from pydantic import SecretStr
from pyreqwest.client import Client, ClientBuilder
from rich.console import Console
from rich.table import Table

from loadtest.bench.engines import Engines, free_port
from loadtest.load.histogram import Histogram
from tocsin.errors import EngineUnavailable
from tocsin.ids import new_id
from tocsin.kafka import ensure_topics
from tocsin.links import Purpose, Seals, Sent
from tocsin.links.sent import pack
from tocsin.log import read_all
from tocsin.observability import targets
from tocsin.records import Channel, Engagement, Profile, decode
from tocsin.settings import Settings
from tocsin.store import Profiles, connect, keys
from tocsin.topics import ENGAGEMENT

say = Console(stderr=True).print
app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)

BAR_MS: Final = 5.0
"""At the server, of 99 in 100."""

ROUTE: Final = "/c/{token}"
_PEOPLE: Final = 1_000
_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
_PERCENTS: Final = (50, 95, 99, 100)
_BUCKET: Final = re.compile(
    r'^tocsin_http_seconds_bucket\{le="([^"]+)",route="/c/\{token\}"\} ([0-9.e+]+)$', re.MULTILINE
)


@app.command()
def main(
    rate: Annotated[int, typer.Option(help="clicks a second", min=1)] = 200,
    seconds: Annotated[int, typer.Option(help="length of the measured window", min=1)] = 30,
    warm_up: Annotated[int, typer.Option(help="seconds before it", min=0)] = 5,
    out: Annotated[Path, typer.Option(help="where the JSON goes")] = Path("bench-clicks.json"),
) -> None:
    """Start engines and an API in a temporary directory, measure, print, write JSON, stop them."""
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory,
        Engines(Path(directory)) as engines,
    ):
        found = asyncio.run(_run(engines, rate, seconds, warm_up))
    out.write_text(json.dumps(found, indent=2) + "\n")
    Console().print(_table(found))
    say(f"written to {out}")


async def _run(engines: Engines, rate: int, seconds: int, warm_up: int) -> dict[str, Any]:
    settings = engines.settings.model_copy(
        update={
            "port": free_port(),
            "otp_secret": SecretStr(new_id()),
            "jwt_secret": SecretStr(new_id() * 2),
        }
    )
    await ensure_topics(settings)
    await _register(settings)
    api = psutil.Process(engines.worker("api.serve", "api", _environment(settings)))
    links = _links(settings, rate * (seconds + warm_up))
    url = f"http://{settings.host}:{settings.port}"
    builder = ClientBuilder().follow_redirects(False).default_headers({"user-agent": _AGENT})
    async with builder.build() as client:
        say(f"{rate:,} clicks a second for {seconds} s …")
        await _click_all(client, url, links[: rate * warm_up], rate)
        before, cpu = await asyncio.to_thread(_served, settings), _cpu(api)
        took, refused = await _click_all(client, url, links[rate * warm_up :], rate)
        after, cpu = await asyncio.to_thread(_served, settings), _cpu(api) - cpu
    say("counting the events …")
    return {
        "rate": rate,
        "seconds": seconds,
        "clicks": rate * seconds,
        "refused": refused,
        "cpu_us_per_click": round(1e6 * cpu / (rate * seconds)),
        "client_ms": percentiles(took),
        "server": server({le: after[le] - before.get(le, 0) for le in after}),
        "missing": len(links) - await _kept(settings, len(links)),
    }


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "TOCSIN_PORT": str(settings.port),
        "TOCSIN_OTP_SECRET": settings.otp_secret.get_secret_value(),
        "TOCSIN_JWT_SECRET": settings.jwt_secret.get_secret_value(),
        "TOCSIN_METRICS_PORT": "0",
    }


async def _register(settings: Settings) -> None:
    redis = await connect(settings)
    try:
        await redis.set(keys.STORE_READY, 1)
        people = [Profile(f"customer-{n}") for n in range(_PEOPLE)]
        await Profiles(redis).change_many({each.user_id: _always(each) for each in people})
    finally:
        await redis.aclose()


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _always(profile: Profile) -> Any:
    return lambda _: profile


def _links(settings: Settings, count: int) -> list[str]:
    """Paths, each of a message of its own that left a minute ago."""
    seals, at = Seals(settings), datetime.now(UTC) - timedelta(minutes=1)
    return [
        "/c/"
        + seals.seal(
            Purpose.CLICK,
            pack(
                Sent(new_id(), f"customer-{n % _PEOPLE}", Channel.EMAIL, "SALE_OFFER", at),
                "/shop?sku=85123A",
            ),
        )
        for n in range(count)
    ]


async def _click_all(
    client: Client, url: str, paths: Sequence[str], rate: int
) -> tuple[Histogram, int]:
    """Every path at its moment: times from that moment on, and how many were not answered 302."""
    took, began = Histogram(), time.perf_counter()
    refused = 0

    async def click(path: str, at: float) -> None:
        nonlocal refused
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        answer = await client.get(url + path).build().send()
        took.record(time.perf_counter() - at)
        refused += answer.status != 302

    await asyncio.gather(*(click(path, began + n / rate) for n, path in enumerate(paths)))
    return took, refused


def _served(settings: Settings) -> dict[float, int]:
    """Requests of the route the API has answered, by the time they took at most (seconds)."""
    (target,) = targets.known(settings.data_dir)
    with urllib.request.urlopen(f"http://{target.address}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    return {float(le): int(float(count)) for le, count in _BUCKET.findall(text)}


def percentiles(took: Histogram) -> dict[str, float]:
    """Milliseconds by percentile."""
    return {
        "max" if percent == 100 else f"p{percent}": round(1000 * (took.percentile(percent) or 0), 2)
        for percent in _PERCENTS
    }


def server(within: dict[float, int]) -> dict[str, Any]:
    """What the API's histogram says: by percentile the bound (ms) below which it lies, and how many
    of 100 took less than the bar."""
    total = max(within.values(), default=0)
    bounds = {
        f"p{percent}_below_ms": next(
            (le * 1000 for le in sorted(within) if within[le] >= total * percent / 100), 0.0
        )
        for percent in (50, 95, 99)
    }
    under = within.get(BAR_MS / 1000, 0)
    return {
        "answered": total,
        **bounds,
        "percent_under_bar": round(100 * under / total, 3) if total else 0.0,
        "bar_ms": BAR_MS,
        "passed": bool(total) and bounds["p99_below_ms"] <= BAR_MS,
    }


async def _kept(settings: Settings, wanted: int) -> int:
    """How many different messages the events in the log are about; what is on its way has 20 s."""
    end = time.monotonic() + 20
    while True:
        seen = {
            decode(Engagement, record.value).notification_id
            async for record in read_all(settings, ENGAGEMENT)
        }
        if len(seen) >= wanted or time.monotonic() > end:
            return len(seen)
        await asyncio.sleep(0.2)


def _table(found: dict[str, Any]) -> Table:
    table = Table(title="Clicks", show_header=False)
    told, client = found["server"], found["client_ms"]
    verdict = "passed" if told["passed"] else "NOT passed"
    table.add_row("clicks", f"{found['clicks']:,}, {found['rate']:,}/s; {found['refused']} refused")
    table.add_row(
        "at the server",
        f"p50 < {told['p50_below_ms']:g} · p95 < {told['p95_below_ms']:g} · p99 < "
        f"{told['p99_below_ms']:g} ms; {told['percent_under_bar']} % in {BAR_MS:g} ms: {verdict}",
    )
    table.add_row(
        "at the client, from the intended start",
        f"p50 {client['p50']} · p95 {client['p95']} · p99 {client['p99']} · max {client['max']} ms",
    )
    table.add_row("the API's CPU", f"{found['cpu_us_per_click']} µs a click")
    table.add_row("events that are not in the log", str(found["missing"]))
    return table


if __name__ == "__main__":
    try:
        app()
    except EngineUnavailable as error:
        sys.exit(f"tocsin bench: {error}")
