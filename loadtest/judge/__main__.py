"""The judge's command line: `python -m loadtest.judge DIR`.

Ends with 0 when every gate held, 1 when one did not, 2 when the run is void or not complete, or the
directory or the gates file is wrong.
"""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadtest.judge import gates as bounds
from loadtest.judge import report as reports
from loadtest.judge.judged import Outcome, Report
from loadtest.judge.page import MARKS
from loadtest.load.run_dir import RunDir
from tocsin.errors import ConfigError

_console = Console()
EXIT: Final[dict[Outcome, int]] = {"passed": 0, "failed": 1, "void": 2, "incomplete": 2}
_STYLES: Final = {"passed": "green", "failed": "bold red", "void": "bold yellow"}


def main(
    directory: Annotated[Path, typer.Argument(help="A run's directory", metavar="DIR")],
    gates: Annotated[
        Path | None,
        typer.Option(help=f"TOML whose values replace those of {bounds.BUNDLED.name}"),
    ] = None,
) -> None:
    """Judge a load run: a table here, and report.html and report.json in its directory."""
    try:
        run_dir = RunDir(directory)
        report = reports.write(run_dir, bounds.load(gates))
    except ConfigError as error:
        print(f"loadtest.judge: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    _console.print(table(report))
    _console.print(Text(report.headline, style="bold"))
    _console.print(run_dir.page.resolve().as_uri(), soft_wrap=True)
    raise typer.Exit(EXIT[report.verdict])


def table(report: Report) -> Table:
    """The gates, one a line."""
    found = Table(title=f"Load run {report.run.run}", title_justify="left")
    for name, side in (("", "left"), ("gate", "left"), ("found", "right"), ("allowed", "right")):
        found.add_column(name, justify=side)  # type: ignore[arg-type]
    for gate in report.gates:
        style = _STYLES.get(gate.mark, "dim")
        found.add_row(
            Text(MARKS[gate.mark][0], style), Text(gate.about),
            Text(gate.value_said), Text(gate.bound_said),
        )  # fmt: skip
    return found


if __name__ == "__main__":
    typer.run(main)
