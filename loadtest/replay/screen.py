"""What a person sees: bars on a terminal, elsewhere a line now and then; a table at the end."""

import time
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from loadtest.replay.sales import BadRow
from loadtest.replay.tally import Tally

_BARS: Final = {
    "customers": "Customers", "inventory_records": "Stock changes", "signups": "Sign-ups",
    "orders": "Orders and returns", "otps": "Log-ins",
}  # fmt: skip
_SECONDS_BETWEEN_LINES: Final = 2.0
_LINES_SHOWN: Final = 20


class Screen:
    """Progress towards `whole`, the file's own tally, over `rows` rows. A context manager."""

    def __init__(self, console: Console, whole: Tally, rows: int) -> None:
        self._console, self._whole, self._total = console, whole, rows
        self._bars = Progress(
            TextColumn("{task.description:>18}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), console=console, disable=not console.is_terminal,
        )  # fmt: skip
        self._rows = self._bars.add_task("Rows", total=rows)
        self._tasks = {
            name: self._bars.add_task(label, total=progress(whole)[name])
            for name, label in _BARS.items()
        }
        self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def show(self, tally: Tally, rows: int) -> None:
        """Counts have moved on."""
        if self._console.is_terminal:
            self._bars.update(self._rows, completed=rows)
            for name, count in progress(tally).items():
                self._bars.update(self._tasks[name], completed=count)
        elif (now := time.monotonic()) >= self._next_line:
            self._next_line = now + _SECONDS_BETWEEN_LINES
            self._console.print(self._line(tally, rows), highlight=False, soft_wrap=True)

    def _line(self, tally: Tally, rows: int) -> str:
        counts = ", ".join(f"{n:,} {_BARS[k].lower()}" for k, n in progress(tally).items())
        return f"replay: row {rows:,} of {self._total:,}; {counts}"


def progress(tally: Tally) -> dict[str, int]:
    """A tally as the bars have it."""
    counts = dict(tally.counts)
    counts["orders"] = counts.get("ORDER_CONFIRMATION", 0) + counts.get("ORDER_UPDATE", 0)
    return {name: counts.get(name, 0) for name in _BARS}


def show_bad_rows(console: Console, bad: list[BadRow]) -> None:
    """Each skipped row with its line number, up to a screenful."""
    for row in bad[:_LINES_SHOWN]:
        console.print(f"line {row.line}: {row.reason}", markup=False, highlight=False)
    if len(bad) > _LINES_SHOWN:
        console.print(f"… and {len(bad) - _LINES_SHOWN:,} more bad rows")


def show_refusals(console: Console, reasons: list[str]) -> None:
    """What the system would not take, up to a screenful."""
    for reason in reasons[:_LINES_SHOWN]:
        console.print(f"refused: {reason}", markup=False, highlight=False)
    if len(reasons) > _LINES_SHOWN:
        console.print(f"… and {len(reasons) - _LINES_SHOWN:,} more refusals")


def summary(report: dict[str, Any], title: str) -> Table:
    """The report as a table."""
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("count", justify="right")
    flat = report | report["notifications"]
    del flat["notifications"]
    for name, value in flat.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if value is not None else "")
    return table
