"""`python -m loadtest.capacity --per-day 16e6 --peak 10`: what a load needs."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from loadtest.capacity import costs, overlay, readme, report
from loadtest.capacity.against import against
from loadtest.capacity.load import Load
from loadtest.capacity.load import mix as weights
from loadtest.capacity.model import plan
from tocsin.errors import ConfigError, Invalid

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
_DAY = Load()


@app.command()
def main(
    per_day: Annotated[float, typer.Option(help="deliveries a day (16e6)")] = _DAY.per_day,
    peak: Annotated[float, typer.Option(help="the busiest time over the mean")] = _DAY.peak,
    mix: Annotated[
        str, typer.Option(help="channels' weights; also inapp")
    ] = "push=10,sms=1,email=5",
    otp_per_day: Annotated[float, typer.Option(help="log-ins a day")] = _DAY.otp_per_day,
    sockets: Annotated[int, typer.Option(help="people connected at once")] = _DAY.sockets,
    users: Annotated[int, typer.Option(help="people registered")] = _DAY.users,
    days: Annotated[int, typer.Option(help="for which every delivery is kept")] = _DAY.days,
    headroom: Annotated[
        float, typer.Option(help="part of every processor left free at the peak")
    ] = _DAY.headroom,
    file: Annotated[
        Path, typer.Option("--costs", help="costs file, by python -m loadtest.bench.costs")
    ] = costs.COMMITTED,
    run_dir: Annotated[
        Path | None, typer.Option("--against", help="a load's run: CPU predicted and measured")
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--overlay", help="write the sizing component of k8s/ there")
    ] = None,
    table: Annotated[
        bool, typer.Option("--readme", help="renew the table of loadtest/README.md")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables")] = False,
) -> None:
    """Print pods, partitions, memory, disk and network for a load; or check the model by a run.

    The prices were measured by the bench. Exit 2 for input that makes no sense.
    """
    prices = costs.load(file)
    if run_dir:
        found = against(run_dir, prices)
        _print(report.as_json([found]) if as_json else [report.comparison([found])])
        return
    if table:
        readme.renew(prices)
        return
    load = Load(
        per_day=per_day, peak=peak, mix=weights(mix), otp_per_day=otp_per_day, sockets=sockets,
        users=users, days=days, headroom=headroom,
    )  # fmt: skip
    made = plan(load, prices)
    if directory:
        overlay.write(directory, prices, load)
        Console(stderr=True).print(f"written to {directory}")
    _print(made if as_json else report.tables(made, prices))


def _print(found: object) -> None:
    if isinstance(found, list) and found and not isinstance(found[0], dict):
        for table in found:
            Console().print(table)
        return
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


if __name__ == "__main__":
    try:
        app()
    except (Invalid, ConfigError) as error:
        print(f"loadtest.capacity: {error}", file=sys.stderr)
        sys.exit(2)
