"""What a replay came to, as the report has it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from loadtest.replay.events import Event, Login, Order, Register, SignUp, Stock


class Tally:
    """Counts by kind of event: of a file (`of`), or of what was sent so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Tally":
        """All the events of a file."""
        tally = cls()
        tally.add(events)
        return tally

    def add(self, events: Iterable[Event]) -> None:
        """Count events, each under its kind."""
        for event in events:
            self.counts[kind_of(event)] += 1
            if isinstance(event, Stock) and event.restock:
                self.counts["restocks"] += 1

    def report(self, rows: int, bad_rows: int, seconds: float) -> dict[str, Any]:
        """The JSON of `--report`. Restocks are among the inventory records."""
        n = self.counts
        return {
            "rows": rows,
            "bad_rows": bad_rows,
            "customers": n["customers"],
            "inventory_records": n["inventory_records"],
            "restocks": n["restocks"],
            "signups": n["signups"],
            "notifications": {k: n[k] for k in ("ORDER_CONFIRMATION", "ORDER_UPDATE")},
            "otps": n["otps"],
            "verified_otps": n["verified_otps"],
            "refused": n["refused"],
            "seconds": round(seconds, 3),
        }


def kind_of(event: Event) -> str:
    """The event's name in the report."""
    match event:
        case Register():
            return "customers"
        case Login():
            return "otps"
        case SignUp():
            return "signups"
        case Stock():
            return "inventory_records"
        case Order():
            return "ORDER_UPDATE" if event.returned else "ORDER_CONFIRMATION"
