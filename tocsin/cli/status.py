"""`tocsin status`: engines, workers, lag per topic and pools, at a glance."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from tocsin.cli.control import Control, Status
from tocsin.cli.home import Home
from tocsin.cli.readiness import starts
from tocsin.errors import EngineUnavailable
from tocsin.lag import LagMeter
from tocsin.observability import targets
from tocsin.observability.targets import Target
from tocsin.settings import Settings


@dataclass(frozen=True)
class Worker:
    """One process with all its descendants: `memory` in bytes, `restarts` since `tocsin up`."""

    name: str
    pid: int
    state: str
    uptime: float
    restarts: int
    memory: int


def show(state: Mapping[str, Any], home: Home, settings: Settings, console: Console) -> None:
    """Print it all. Raises `SupervisorGone` when supervisord does not answer."""
    statuses = Control(Path(state["socket"])).statuses()
    workers = [worker(statuses[name], home) for name in state["programs"]]
    console.print(_workers(workers, state))
    try:
        console.print(_lag(asyncio.run(_measure(settings))))
    except (EngineUnavailable, TimeoutError) as error:
        console.print(f"[red]lag not known:[/] {error}")
    pools = pool_sizes(statuses)
    if pools:
        console.print(_pools(pools))
    if found := targets.known(home.root):
        console.print(_metrics(found))


def worker(status: Status, home: Home) -> Worker:
    """What the operating system and the start notes add to supervisord's word."""
    times = starts(home.run, status.name)
    if not status.pid:
        ended = "done" if status.exited and not status.exit_code else "down"
        return Worker(status.name, 0, ended, 0, max(0, times - 1), 0)
    uptime = time.time() - status.started
    return Worker(status.name, status.pid, "up", uptime, times - 1, memory(status.pid))


def memory(pid: int) -> int:
    """Resident bytes of a process and all below it."""
    total = 0
    for process in family(pid):
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def family(pid: int) -> list[psutil.Process]:
    """A process and its descendants; none when it is gone."""
    with suppress(psutil.Error):
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    return []


def pool_sizes(statuses: Mapping[str, Status]) -> dict[str, tuple[int, int]]:
    """Actors on this machine's Ray by class: how many, and their memory. Ray names its worker
    processes ``ray::Class.method`` (or ``ray::Class`` when idle)."""
    found: Counter[str] = Counter()
    used: Counter[str] = Counter()
    ray = statuses.get("ray")
    for process in family(ray.pid) if ray and ray.pid else ():
        with suppress(psutil.Error):
            title = (process.cmdline() or [""])[0]
            if title.startswith("ray::") and title != "ray::IDLE":
                name = title.removeprefix("ray::").partition(".")[0]
                found[name] += 1
                used[name] += process.memory_info().rss
    return {name: (found[name], used[name]) for name in sorted(found)}


async def _measure(settings: Settings) -> dict[tuple[str, str], int]:
    async with asyncio.timeout(10), LagMeter(settings) as meter:
        return (await meter.positions()).lag()


def _workers(workers: Iterable[Worker], state: Mapping[str, Any]) -> Table:
    table = Table(title=f"Tocsin, up {age(time.time() - state['at'])}", title_justify="left")
    for column in ("process", "state", "where"):
        table.add_column(column)
    for column in ("pid", "up", "restarts", "memory"):
        table.add_column(column, justify="right")
    for w in workers:
        colour = {"up": "green", "done": "dim"}.get(w.state, "red")
        port = state["ports"].get("sandbox-http" if w.name == "sandbox" else w.name)
        table.add_row(
            w.name, f"[{colour}]{w.state}[/]", f"127.0.0.1:{port}" if port else "",
            str(w.pid or ""), age(w.uptime) if w.pid else "", str(w.restarts),
            size(w.memory) if w.pid else "",
        )  # fmt: skip
    for name in state["external"]:
        table.add_row(name, "external", "", "", "", "", "")
    return table


def _lag(lag: Mapping[tuple[str, str], int]) -> Table:
    table = Table(title="Lag: records not yet finished", title_justify="left")
    table.add_column("topic")
    groups = sorted({group for group, _ in lag})
    for group in groups:
        table.add_column(group.removeprefix("tocsin-"), justify="right")
    for topic in sorted({topic for _, topic in lag}):
        cells = (lag.get((group, topic)) for group in groups)
        table.add_row(topic, *("" if n is None else f"{n:,}" for n in cells))
    return table


def _pools(pools: Mapping[str, tuple[int, int]]) -> Table:
    table = Table(title="Pools: Ray actors", title_justify="left")
    table.add_column("actor")
    table.add_column("number", justify="right")
    table.add_column("memory", justify="right")
    for name, (number, used) in pools.items():
        table.add_row(name, str(number), size(used))
    return table


def _metrics(found: Iterable[Target]) -> Table:
    table = Table(title="Metrics: what Prometheus scrapes", title_justify="left")
    table.add_column("process")
    table.add_column("where")
    for target in found:
        table.add_row(target.process, f"http://{target.address}/metrics")
    return table


def age(seconds: float) -> str:
    """Two units at most: ``3 d 4 h``, ``12 min``, ``8 s``."""
    left = max(0, int(seconds))
    for unit, length, small, below in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60)):
        if left >= length:
            return f"{left // length} {unit} {left % length // below} {small}"
    return f"{left // 60} min" if left >= 60 else f"{left} s"


def size(number: int) -> str:
    """In MB."""
    return f"{number / 1_000_000:,.0f} MB"
