"""The summary of a replay: what ClickHouse counted, and what the replay itself did."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Group
from rich.table import Table

from tocsin.errors import ConfigError

FROM_REPLAY: Final = ("inventory_records", "signups", "bad_rows", "seconds", "throughput_per_s")
DELIVERIES: Final = (
    "accepted", "delivered", "failed", "suppressed", "expired", "cancelled", "in_flight",
)  # fmt: skip
ALWAYS: Final = ("accepted", "delivered", "failed", "in_flight")
"""The columns of the table that are there even when nothing came to them."""


def merge(
    counted: Mapping[str, Any],
    report: Mapping[str, Any] | None,
    seconds: float,
    before: int = 0,
) -> dict[str, Any]:
    """The fields of the public summary.

    `counted` is ClickHouse's (analytics.summary) and wins where both know a number; `report` is
    the replay's. `seconds` is how long it took from the first row to the last outcome, and the
    throughput that of the deliveries which ended in this time; `before` it had ended already.
    """
    merged = dict(counted)
    for name in FROM_REPLAY:
        if report and name in report:
            merged.setdefault(name, report[name])
    merged["seconds"] = round(seconds, 3)
    merged["throughput_per_s"] = round((ended(merged) - before) / seconds, 1) if seconds else 0.0
    return merged


def ended(counted: Mapping[str, Any]) -> int:
    """Deliveries in a final state."""
    return sum(int(counted.get(name, 0)) for name in DELIVERIES[1:-1])


def write(path: Path, summary: Mapping[str, Any]) -> None:
    """The summary as JSON, there whole or not at all. Raises `ConfigError`."""
    fresh = path.with_name(path.name + ".tmp")
    try:
        fresh.write_text(json.dumps(summary, indent=2) + "\n")
        fresh.replace(path)
    except OSError as error:
        raise ConfigError(f"--summary {path} cannot be written: {error.strerror}") from None


def tables(summary: Mapping[str, Any]) -> Group:
    """For the terminal: deliveries by channel and state, notifications by type, the rest."""
    rest = {k: v for k, v in summary.items() if k not in (*DELIVERIES, "by_channel")}
    flat: dict[str, object] = {}
    for name, value in rest.items():
        if isinstance(value, Mapping):
            flat |= {f"{_words(name)} · {inner}": number for inner, number in value.items()}
        else:
            flat[_words(name)] = value
    numbers = Table()
    numbers.add_column("what")
    numbers.add_column("count", justify="right")
    for name, value in flat.items():
        numbers.add_row(name, _number(value))
    return Group(_deliveries(summary), numbers)


def _deliveries(summary: Mapping[str, Any]) -> Table:
    states = [state for state in DELIVERIES if state in ALWAYS or summary.get(state)]
    table = Table(title="Deliveries", title_justify="left")
    table.add_column("channel")
    for state in states:
        table.add_column(_words(state), justify="right")
    for channel, counts in summary.get("by_channel", {}).items():
        table.add_row(channel, *(_number(counts.get(state, 0)) for state in states))
    table.add_section()
    table.add_row("all", *(_number(summary.get(state, 0)) for state in states))
    return table


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: object) -> str:
    if isinstance(value, int | float):
        return f"{value:,}"
    return "–" if value is None else str(value)
