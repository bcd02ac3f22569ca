"""Tables on the terminal; piped into a file they are as wide as they need to be."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

_WIDE: Final = 10_000


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """One line per row, numbers to the right."""
    listed = [tuple(row) for row in rows]
    table = Table(title=title or None)
    for index, column in enumerate(columns):
        numbers = bool(listed) and all(isinstance(row[index], int | float) for row in listed)
        table.add_column(column, justify="right" if numbers else "left")
    for row in listed:
        table.add_row(*(_text(value) for value in row))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(width=_WIDE, highlight=False, markup=False)
    console.print(table)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "" if value is None else str(value)
