"""`python -m loadtest.load` (`make load`): a load with a shape, from nothing to a verdict.

Ends with 0 when every gate held, 1 when one did not, 2 when the run is void, was broken off, or a
setting is wrong, 3 when an engine does not answer.
"""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from loadtest.judge.gates import Gates
from loadtest.load import begin, deeds, finish, shapes
from loadtest.load import target as targets
from loadtest.load.deeds import Deed, Kill
from loadtest.load.launch import Launch
from loadtest.load.run_dir import RunDir
from loadtest.load.shapes import SHAPES
from tocsin.errors import EngineUnavailable, Invalid, TocsinError
from tocsin.settings import Settings

console = Console()
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")

_SHAPES: Final = "\n".join(
    f"- **{name}** ({shape.seconds:g} s, scale {shape.scale:g}): {shape.about}"
    for name, shape in SHAPES.items()
)
_HELP: Final = f"""Ask Tocsin for what a shop's day asks of it, open-model, and judge what came out.

It starts a whole system of its own in a temporary directory (or takes a running one: --target),
registers people, lets Locust make every call at the moment it is meant to be made, waits until
nothing is in flight, holds what the providers received against what was asked, and writes a report.

Shapes, with what fits a laptop:

{_SHAPES}

`--scale` is the share of the full 16 M day, `--seconds` into how many seconds it is pressed.
`make load SHAPE=day SCALE=0.02` is 320,000 notifications, and takes 12 minutes on two cores.

Ends with 0: every gate held, 1: one did not, 2: void or broken off, or a wrong setting."""


@app.command(help=_HELP)
def main(
    shape: Annotated[str, typer.Option(help=f"One of {', '.join(SHAPES)}")] = "day",
    scale: Annotated[float | None, typer.Option(help="Share of the full 16 M day")] = None,
    seconds: Annotated[float | None, typer.Option(help="How long it lasts")] = None,
    seed: Annotated[int, typer.Option(help="Of all chance: the same one, the same calls")] = 1,
    workers: Annotated[int, typer.Option(help="Locust processes beside a master, if > 1")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Where the run's files go (default: load/<run>)")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The system's data directory (default: a temporary one)")
    ] = None,
    target: Annotated[
        str, typer.Option(help="The API of a running system; its settings as `tocsin` reads them")
    ] = "",
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="The target may be on another machine")
    ] = False,
    elsewhere: Annotated[
        bool,
        typer.Option(
            "--workers-elsewhere", help="The workers are started by others, and come to port 5557"
        ),
    ] = False,
    kill: Annotated[
        list[str] | None,
        typer.Option(help="kill -9: NAME@SECONDS, as streams-1@60 (repeatable)", metavar="N@S"),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="A provider fails: fcm:503@60+10 (repeatable)", metavar="P:N@S+FOR"),
    ] = None,
    gates: Annotated[Path | None, typer.Option(help="TOML over the bundled gates")] = None,
    web: Annotated[
        int, typer.Option(help="Locust's own page at this port, as 8089; 0: none", min=0, max=65535)
    ] = 0,
    judge: Annotated[
        Path | None,
        typer.Option(help="Make no load: check and judge the run that Locust left here"),
    ] = None,
) -> None:
    # aiokafka's words about a broker that is away are said in one line elsewhere
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        bounds = finish.gates_of(gates)
        if judge:
            code = _judge(RunDir(judge), data, target, bounds)
        else:
            plan = shapes.plan(shape, scale, seconds, workers)
            doing = deeds.parse(kill or (), fault or (), plan.seconds)
            _check(target, allow_remote, doing, elsewhere)
            launch = Launch(plan, seed, workers, doing, web, elsewhere)
            code = launch.main(out, data, target, allow_remote, bounds)
    except TocsinError as error:
        print(f"loadtest.load: {error}", file=sys.stderr)
        raise typer.Exit(3 if isinstance(error, EngineUnavailable) else 2) from None
    except KeyboardInterrupt:
        print("loadtest.load: stopped; whatever it had started is ended", file=sys.stderr)
        raise typer.Exit(2) from None
    raise typer.Exit(code)


def _check(target: str, allow_remote: bool, doing: list[Deed], elsewhere: bool) -> None:
    """What can be known to be wrong before anything starts. Raises `Invalid`."""
    if target:
        targets.check(target, allow_remote)
    if target and any(isinstance(deed, Kill) for deed in doing):
        raise Invalid("kill", "only processes of a system of our own are killed: no --target")
    if elsewhere and not allow_remote:
        raise Invalid("workers-elsewhere", "opens port 5557 to other machines: say --allow-remote")


def _judge(run_dir: RunDir, data: Path | None, target: str, bounds: Gates) -> int:
    """Check and judge what Locust did by itself."""
    url, place = target or begin.read(run_dir.path).target, data or Path(".tocsin")
    with targets.running(url, place, allow_remote=True) as (settings, _):
        asyncio.run(_checked(run_dir, settings))
    return finish.judge(run_dir, bounds, console)


async def _checked(run_dir: RunDir, settings: Settings) -> None:
    await finish.until_quiet(settings)
    await finish.check(run_dir, settings)


if __name__ == "__main__":
    app()
