"""What a rebuild has done with a topic so far, told while it goes on."""

from collections.abc import Callable
from typing import Any, Final

from tocsin.errors import Invalid

Say = Callable[[str], None]

EVERY: Final = 100_000
"""Records between two lines about a large topic."""

_NAMED: Final = 10
"""Bad records that are named one by one; the others are only counted."""


class Tally:
    """`read` records of the topic, of which `bad` ones were skipped; `stored` entities of the store
    that were not so before."""

    def __init__(self, topic: str, say: Say) -> None:
        self.topic, self._say = topic, say
        self.read = self.stored = self.bad = 0

    def saw(self, records: int) -> None:
        """So many more were read."""
        before, self.read = self.read, self.read + records
        if self.read // EVERY > before // EVERY:
            self._say(f"{self.topic}: {self.read:,} records read")

    def put(self, stored: int) -> None:
        """So many more were stored."""
        before, self.stored = self.stored, self.stored + stored
        if self.stored // EVERY > before // EVERY:
            self._say(f"{self.topic}: {self.stored:,} restored")

    def skip(self, record: Any, error: Invalid) -> None:
        """A record that cannot be used. What it holds stays out of the line."""
        self.bad += 1
        if self.bad <= _NAMED:
            where = f"{self.topic}:{record.partition}:{record.offset}"
            self._say(f"{where} skipped: {error.field or '(whole)'}: {error.reason}")

    def __str__(self) -> str:
        bad = f", {self.bad:,} bad skipped" if self.bad else ""
        return f"{self.topic}: {self.read:,} records read, {self.stored:,} restored{bad}"
