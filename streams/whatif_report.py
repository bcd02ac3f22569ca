"""What a what-if found, for people and for programs."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from streams.whatif import Difference
from streams.window import Counts
from tocsin.records import encode

TODAY: Final = (
    "People's preferences and addresses, and the words, are those of today, also for what was "
    "accepted before they were changed. What was taken back is judged as if it had not been."
)
"""What no reader of the figures may miss."""


class Report(NamedTuple):
    """`before` and `after` are the rules' fingerprints, as traces have them; nothing in the window
    is for the people of `strangers`, though they were named."""

    since: datetime
    until: datetime
    before: str
    after: str
    counts: Counts
    difference: Difference
    strangers: list[str]

    @property
    def deliveries(self) -> int:
        """Of either side: what is asked for on one only counts, too."""
        return self.difference.moves.total()

    @property
    def changed(self) -> int:
        """Deliveries that would end otherwise."""
        return sum(n for (*_, old, new), n in self.difference.moves.items() if old != new)

    @property
    def notes(self) -> list[str]:
        """What to keep in mind with these figures."""
        found = [TODAY]
        if self.strangers:
            names = ", ".join(self.strangers[:10]) + (", …" if len(self.strangers) > 10 else "")
            found.append(f"Named in the preferences, but told nothing in this time: {names}.")
        if self.counts.unreadable:
            found.append(
                f"{self.counts.unreadable:,} requests cannot be read: dead letters either way."
            )
        return found


def as_json(report: Report) -> bytes:
    """One line. `moves` has every (type, channel, before, after), those without a change too."""
    found: dict[str, Any] = {
        "since": report.since,
        "until": report.until,
        "rules": {"before": report.before, "after": report.after},
        **report.counts._asdict(),
        "deliveries": report.deliveries,
        "changed": report.changed,
        "moves": [
            {"type": kind, "channel": channel, "before": old, "after": new, "count": count}
            for (kind, channel, old, new), count in _ordered(report.difference)
        ],
        "examples": [each._asdict() for each in report.difference.changed],
        "notes": report.notes,
    }
    return encode(found) + b"\n"


def print_report(report: Report, console: Console | None = None) -> None:
    """The changes by kind, the totals, some examples with their traces, and the notes."""
    console = console or Console()
    if report.changed:
        console.print(_table(report))
    counts = report.counts
    repeated = f" ({counts.repeated:,} repeats left out)" if counts.repeated else ""
    console.print(
        f"{counts.requests:,} requests{repeated}, {report.deliveries:,} deliveries: "
        f"{report.changed:,} would end otherwise, {report.deliveries - report.changed:,} the same."
    )
    console.print(f"Rules {report.before} → {report.after}." if report.before != report.after
                  else f"Rules {report.before} on both sides.")  # fmt: skip
    for each in report.difference.changed:
        head = f"{each.notification_id} {each.type} {each.channel} for {each.user_id}"
        # Text: an id may look like markup
        console.print(Text(f"\n{head}\n  {each.before} → {each.after}"))
        if each.trace:
            console.print(Text(f"  {each.trace}"), soft_wrap=True)
    for note in report.notes:
        console.print(Text(f"\n{note}"))


def _table(report: Report) -> Table:
    table = Table("type", "channel", "before", "after", Column("count", justify="right"), box=None)
    for (kind, channel, old, new), count in _ordered(report.difference):
        if old != new:
            table.add_row(*(Text(each) for each in (kind, channel, old, new)), f"{count:,}")
    return table


def _ordered(difference: Difference) -> Iterator[tuple[tuple[str, str, str, str], int]]:
    """The largest first, equals by name."""
    yield from sorted(difference.moves.items(), key=lambda item: (-item[1], item[0]))
