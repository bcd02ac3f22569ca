"""Who was erased, and which tables may hold rows of theirs: pure, in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from analytics.writer.tables import (
    ACCEPTED,
    DEAD_LETTERS,
    DECISIONS,
    DELIVERIES,
    ENGAGEMENT,
    ERASURES,
    REQUESTS,
    Table,
)

PERSONAL: Final[Mapping[Table, str]] = {
    REQUESTS: "accepted_at",
    ACCEPTED: "accepted_at",
    DELIVERIES: "accepted_at",
    DECISIONS: "at",
    ENGAGEMENT: "at",
}
"""Tables with a user_id, and the column that tells to which of somebody's lives a row belongs."""

CLEARED: Final = (*PERSONAL, DEAD_LETTERS)


class Forgotten:
    """What the writer has written and the eraser has to look through. `news` is set when somebody
    else is to be forgotten."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._until: Mapping[str, int] = {}
        self._suspect: set[Table] = set()

    @property
    def suspects(self) -> list[Table]:
        """Tables to look through, in the order of `CLEARED`."""
        return [table for table in CLEARED if table in self._suspect]

    def suspect(self, table: Table) -> None:
        """Look through it (again)."""
        self._suspect.add(table)

    def clear(self, table: Table) -> None:
        """It is being looked through: what is written from now on counts anew."""
        self._suspect.discard(table)

    def learn(self, until: Mapping[str, int]) -> None:
        """Whose rows are to be cleared, each up to an instant (milliseconds). Somebody new, or a
        later end, puts every table under suspicion."""
        if any(end > self._until.get(user_id, 0) for user_id, end in until.items()):
            self._suspect.update(CLEARED)
        self._until = until

    def wrote(self, table: Table, columns: Sequence[Sequence[Any]]) -> None:
        """These rows are in ClickHouse now. Costs one set operation per block."""
        if table is ERASURES:
            if not all(columns[table.names.index("back")]):
                self.news.set()
        elif self._until and self._concerns(table, columns):
            self.suspect(table)

    def _concerns(self, table: Table, columns: Sequence[Sequence[Any]]) -> bool:
        if table is DEAD_LETTERS:
            return True
        if table not in PERSONAL:
            return False
        users = columns[table.names.index("user_id")]
        if self._until.keys().isdisjoint(users):
            return False
        times = columns[table.names.index(PERSONAL[table])]
        return any(
            at < self._until.get(user_id, at) for user_id, at in zip(users, times, strict=True)
        )
