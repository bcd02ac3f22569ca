"""The summary of a replay: what ClickHouse counted, and what the replay itself did."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from tocsin.errors import ConfigError

FROM_REPLAY: Final = ("inventory_records", "signups", "bad_rows", "seconds", "throughput_per_s")
DELIVERIES: Final = (
    "accepted", "delivered", "failed", "suppressed", "expired", "cancelled", "in_flight",
)  # fmt: skip


def merge(
    counted: Mapping[str, Any], report: Mapping[str, Any] | None, seconds: float
) -> dict[str, Any]:
    """The fields of the public summary.

    `counted` is ClickHouse's (analytics.summary) and wins where both know a number; `report` is
    the replay's. `seconds` is how long it took from the first row to the last outcome.
    """
    merged = dict(counted)
    for name in FROM_REPLAY:
        if report and name in report:
            merged.setdefault(name, report[name])
    merged["seconds"] = round(seconds, 3)
    ended = sum(int(merged.get(name, 0)) for name in DELIVERIES[1:-1])
    merged["throughput_per_s"] = round(ended / seconds, 1) if seconds > 0 else 0.0
    return merged


def write(path: Path, summary: Mapping[str, Any]) -> None:
    """The summary as JSON, there whole or not at all. Raises `ConfigError`."""
    fresh = path.with_name(path.name + ".tmp")
    try:
        fresh.write_text(json.dumps(summary, indent=2) + "\n")
        fresh.replace(path)
    except OSError as error:
        raise ConfigError(f"--summary {path} cannot be written: {error.strerror}") from None


def table(summary: Mapping[str, Any]) -> Table:
    """For the terminal: nested objects one level deep, each number on a row of its own."""
    made = Table(title="What became of it", title_justify="left")
    made.add_column("")
    made.add_column("", justify="right")
    for name, value in summary.items():
        if isinstance(value, Mapping):
            for inner, number in value.items():
                made.add_row(f"{_words(name)} · {inner}", _number(number))
        else:
            made.add_row(_words(name), _number(value))
    return made


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_number(inner)}" for name, inner in value.items())
    if isinstance(value, int | float):
        return f"{value:,}"
    return "–" if value is None else str(value)
