"""`python -m loadtest.check DIR`: judge a run by its files; exit 0 clean, 1 faults, 2 unjudged."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loadtest.check.checker import CLEAN, FAULTY, UNJUDGED, exit_code
from loadtest.check.collect import collect
from loadtest.check.engine import Engine
from loadtest.check.examine import examine
from loadtest.check.show import show
from loadtest.check.tolerances import Tolerances
from loadtest.load.run_dir import RunDir
from tocsin import settings as settings_module
from tocsin.errors import ConfigError, EngineUnavailable

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True)
_STANDARD = Tolerances()


@app.command()
def main(
    runs: Annotated[list[Path], typer.Argument(metavar="DIR...", help="folders of runs")],
    sandbox: Annotated[
        str, typer.Option(metavar="URL", help="collect first, from this sandbox and ClickHouse")
    ] = "",
    order: Annotated[
        float, typer.Option(min=0, help="seconds out of order that are no fault yet")
    ] = _STANDARD.order,
    late: Annotated[
        float, typer.Option(min=0, help="seconds after its expiry that are not late yet")
    ] = _STANDARD.late,
    grace: Annotated[
        float, typer.Option(min=0, help="seconds until an opt-out or quiet hours must hold")
    ] = _STANDARD.grace,
    scratch: Annotated[
        Path | None, typer.Option(help="where to work: room for what the run's files take")
    ] = None,
) -> None:
    """Hold what clients were promised against what providers received and what ClickHouse says.

    A DIR is what a load run left (python -m loadtest.load). The verdict goes to DIR/verdict.json
    and, as a table with the first examples, to the terminal. Exit code: 0 no fault; 1 faults; 2 a
    file is missing or cut, or something could not be judged. With --sandbox, TOCSIN_CLICKHOUSE_URL
    is read.
    """
    tolerances = Tolerances(order=order, late=late, grace=grace)
    for path in runs:
        if not path.is_dir():
            errors.print(f"{path}: no such folder", markup=False)
            sys.exit(UNJUDGED)
    with Engine(scratch or runs[0]) as engine:
        codes = [_judged(engine, RunDir(path), tolerances, sandbox) for path in runs]
    sys.exit(FAULTY if FAULTY in codes else max(codes, default=CLEAN))


def _judged(engine: Engine, run_dir: RunDir, tolerances: Tolerances, sandbox: str) -> int:
    try:
        with errors.status("") as status:
            if sandbox:
                telling = lambda name, lines: status.update(f"{name}: {lines:,} lines")  # noqa: E731
                asyncio.run(collect(run_dir, settings_module.load(), sandbox, telling))
            verdict = examine(engine, run_dir, tolerances, lambda step: status.update(f"{step} …"))
    except (ConfigError, EngineUnavailable) as error:
        errors.print(str(error), markup=False)
        return UNJUDGED
    show(Console(), verdict)
    return exit_code(verdict)


if __name__ == "__main__":
    app()
