"""`python -m loadtest.bench.sockets`: what one shard's process carries, on a store of its own.

The shard, the store and the clients are processes of their own; costs are the shard's CPU time.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from loadtest.bench.sockets import report
from loadtest.bench.sockets.link import open_many_files
from loadtest.bench.sockets.phases import Sockets
from loadtest.bench.sockets.stage import Stage, stage
from loadtest.bench.sockets.storm import Storm
from tocsin.errors import EngineUnavailable

say = Console(stderr=True).print
app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
_OWN_FILES: Final = 100
"""Descriptors the shard needs besides its sockets."""

_LIMIT_SECONDS: Final = 900.0
_TELL_SECONDS: Final = 3.0
_PACE: Final = 2_000


@app.command()
def main(
    connections: Annotated[int, typer.Option(help="sockets held at most", min=10)] = 20_000,
    few: Annotated[int, typer.Option(help="sockets of the smaller load; 0: none", min=0)] = 1_000,
    frames: Annotated[int, typer.Option(help="frames of each flood", min=10)] = 40_000,
    storm: Annotated[int, typer.Option(help="people who come back at once; 0: none")] = 10_000,
    accepts: Annotated[float, typer.Option(help="new sockets a second in the storm")] = 500,
    drain: Annotated[bool, typer.Option(help="the storm by a drain, not kill -9")] = False,
    seconds: Annotated[float, typer.Option(help="idle; a fifth of it at a steady pace")] = 25,
    out: Annotated[Path, typer.Option(help="where the JSON goes")] = Path("bench-sockets.json"),
) -> None:
    """Start a store, a shard and clients, measure, print, write JSON, stop them."""
    allowed = open_many_files() - _OWN_FILES
    if connections > allowed:
        say(f"{allowed:,} connections: this machine lets a process open no more files")
    many = min(connections, allowed)
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory:
        bench = Bench(many, min(few, many), frames, seconds)
        if storm:
            bench.storm(min(storm, many), accepts, drain)
        found = asyncio.run(bench.run(Path(directory)))
    found["bars"] = report.bars(found)
    out.write_text(json.dumps(found, indent=2) + "\n")
    Console().print(report.table(found))
    say(f"written to {out}")


class Bench:
    """The run, step by step."""

    def __init__(self, many: int, few: int, frames: int, seconds: float) -> None:
        self._many, self._few, self._frames, self._seconds = many, few, frames, seconds
        self._storm: tuple[int, float, bool] | None = None

    def storm(self, people: int, accepts: float, drain: bool) -> None:
        """At the end, so many are cut off and come back."""
        self._storm = people, accepts, drain

    async def run(self, directory: Path) -> dict[str, Any]:
        """Everything in turn. Raises `EngineUnavailable` when it takes too long."""
        try:
            async with asyncio.timeout(_LIMIT_SECONDS), stage(directory) as made:
                return await self._all(made)
        except TimeoutError:
            raise EngineUnavailable("the bench", str(directory), "too slow here") from None

    async def _all(self, made: Stage) -> dict[str, Any]:
        say(f"storing {self._many:,} people …")
        await made.people(self._many)
        loads = []
        if self._few:
            loads.append((await self._load(made, self._few, idle=False))[1])
        idle, load = await self._load(made, self._many, idle=True)
        storm = await self._come_back(made, *self._storm) if self._storm else None
        return {"idle": idle, "loads": [*loads, load], "storm": storm}

    async def _load(
        self, made: Stage, count: int, idle: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """A fresh shard with so many sockets."""
        made.crowds()
        await made.shard()
        sockets = Sockets(made)
        say(f"{count:,} connect …")
        async with _told(made):
            held = await sockets.connect(range(count))
        if idle:
            say("idle …")
            held |= await sockets.idle(self._seconds)
        found: dict[str, Any] = {"connections": count}
        say(f"pushes to {count:,} …")
        found["pushed"] = await sockets.pushed(self._frames)
        say(f"deliveries to {count:,} …")
        found["delivered"] = await sockets.delivered(self._frames)
        say("a steady pace …")
        found["steady"] = await sockets.steady(_PACE, self._seconds / 5)
        return held, found

    async def _come_back(
        self, made: Stage, people: int, accepts: float, drain: bool
    ) -> dict[str, Any]:
        """The storm; those who are more than it needs leave first."""
        await made.close(range(people, self._many))
        say(f"{people:,} come back …")
        async with _told(made):
            return await Storm(made, range(people), accepts).run(drain)


@asynccontextmanager
async def _told(made: Stage) -> AsyncIterator[None]:
    """Meanwhile, say how many are connected."""
    telling = asyncio.create_task(_tell(made))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait([telling])


async def _tell(made: Stage) -> None:
    while True:
        await asyncio.sleep(_TELL_SECONDS)
        say(f"  {sum(await made.ask('back', 0.0)):,} connected")


if __name__ == "__main__":
    try:
        app()
    except EngineUnavailable as error:
        sys.exit(f"tocsin bench: {error}")
