"""The replay's command line: `python -m loadtest.replay FILE`.

Ends with 0 when everything was taken (or it was stopped by Ctrl-C), 1 when the system refused some
of it, 2 for a wrong file or setting, 3 when the system does not answer.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from loadtest.replay.calls import PATIENCE
from loadtest.replay.job import Job, Options
from loadtest.replay.sales import read
from tocsin import process
from tocsin.errors import Invalid, TocsinError

_console = Console()


def main(
    file: Annotated[Path, typer.Argument(help="A sales file, .csv or .csv.gz", metavar="FILE")],
    speed: Annotated[
        float, typer.Option(min=0, max=1e9, help="Times the file's own pace; 0: at once")
    ] = 0,
    initial_stock: Annotated[
        int, typer.Option(min=1, max=1_000_000_000, help="Each SKU's shelf at the start")
    ] = 50,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N rows")] = None,
    report: Annotated[Path | None, typer.Option(help="Write what was done here, as JSON")] = None,
    run: Annotated[
        str, typer.Option(help="A name: the same file is told anew under another one")
    ] = "",
    api: Annotated[str, typer.Option(help="The API's address; else TOCSIN_PUBLIC_URL")] = "",
    patience: Annotated[
        float, typer.Option(min=1, max=86_400, help="Seconds to try again what gets no answer")
    ] = PATIENCE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it comes to")] = False,
) -> None:
    """Replay a shop's sales file into a running Tocsin."""
    try:
        job = Job(read(file, limit), Options(speed, initial_stock, run, api, patience), _console)
        try:
            if not dry_run:
                process.run("replay", job.main)
        finally:
            job.end(report)
    except TocsinError as error:
        print(f"tocsin replay: {error}", file=sys.stderr)
        raise typer.Exit(2 if isinstance(error, Invalid) else 1) from None
    raise typer.Exit(job.exit_code)


if __name__ == "__main__":
    typer.run(main)
