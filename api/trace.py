"""What was decided about a delivery on its way, look by look."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from tocsin.records import TERMINAL, State

_ORDER: Final[Mapping[str, int]] = {State.ACCEPTED: 0, **dict.fromkeys(TERMINAL, 2), State.ACKED: 3}
"""Of looks in the same millisecond; what lies between beginning and end is 1."""


class Step(msgspec.Struct, frozen=True):
    """One question the router asked, and its answer."""

    step: str
    result: str


class Look(msgspec.Struct, frozen=True, omit_defaults=True):
    """One look at a delivery: what was decided, and in which steps. `due_at`: when a deferred or
    retried one is looked at again."""

    at: datetime
    state: str
    attempt: int = 0
    reason: str = ""
    due_at: datetime | None = None
    steps: tuple[Step, ...] = ()


def steps_of(trace: str) -> tuple[Step, ...]:
    """``step=result;step=result`` taken apart; either side is percent-encoded where it holds a
    ``;``, ``=`` or ``%``. A step without a result has an empty one."""
    parts = (part.partition("=") for part in trace.split(";") if part)
    return tuple(Step(unquote(step), unquote(result)) for step, _, result in parts)


def looks_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Look, ...]:
    """The looks of one channel in the order they were taken, from rows of sql/notification.sql.

    A beginning or an end is a look too; one that is on record with its trace is told once.
    """
    found = {}
    for row in sorted(rows, key=lambda row: row["part"] == "look"):
        found[utc(row["at"]), row["state"]] = Look(
            at=utc(row["at"]),
            state=row["state"],
            attempt=row["attempt"],
            reason=row["reason"],
            due_at=utc(row["due_at"]) if row["due_at"] else None,
            steps=steps_of(row["trace"]),
        )
    return tuple(sorted(found.values(), key=lambda look: (look.at, _ORDER.get(look.state, 1))))


def utc(at: datetime) -> datetime:
    """ClickHouse answers in UTC and does not always say so."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
