"""Named questions over HTTP: what there is to ask, and the answers as rows."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from analytics.parameters import Parameter
from analytics.questions import Found, question, questions
from api.figures import Figures
from api.lately import Lately
from tocsin.clock import Clock
from tocsin.errors import Invalid
from tocsin.records import encode

FRESH_SECONDS: Final = 1.0
"""However many consoles show the same, it is asked once in so long."""


class ParameterAnswer(msgspec.Struct):
    """A parameter: its ClickHouse type, and what it is when it is not given."""

    name: str
    type: str
    default: str
    about: str


class QuestionAnswer(msgspec.Struct):
    """A question, and what of it may be chosen."""

    name: str
    about: str
    detail: str
    parameters: list[ParameterAnswer]


class QuestionsAnswer(msgspec.Struct):
    """Every question there is."""

    questions: list[QuestionAnswer]


class ColumnAnswer(msgspec.Struct):
    """A column and its ClickHouse type."""

    name: str
    type: str


class StatAnswer(msgspec.Struct):
    """The answer to a question, at most 10,000 rows of it: `truncated` if there were more."""

    name: str
    about: str
    columns: list[ColumnAnswer]
    rows: list[list[Any]]
    truncated: bool


_Key = tuple[str, tuple[tuple[str, str], ...]]


class Stats:
    """Answers as JSON, at most FRESH_SECONDS old."""

    def __init__(self, figures: Figures, clock: Clock) -> None:
        self._figures, self._clock = figures, clock
        self._lately = Lately(self._answer, FRESH_SECONDS)

    async def answer(self, name: str, given: Sequence[tuple[str, str]]) -> bytes:
        """A `StatAnswer`. Raises `Refused` ("not_found") for an unknown question, `Invalid` naming
        a parameter, `EngineUnavailable`."""
        question(name).values(once(given), self._clock.now())
        return await self._lately.get((name, tuple(sorted(given))))

    async def _answer(self, key: _Key) -> bytes:
        name, given = key
        asked = question(name)
        found = await self._figures.answer(asked, asked.values(dict(given), self._clock.now()))
        columns = [ColumnAnswer(*column) for column in found.columns]
        return encode(StatAnswer(name, asked.about, columns, rows_of(found), found.truncated))


def listed() -> QuestionsAnswer:
    """All questions."""
    return QuestionsAnswer(
        [
            QuestionAnswer(each.name, each.about, each.detail, [_told(p) for p in each.parameters])
            for each in questions().values()
        ]
    )


def once(given: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Parameters by name. Raises `Invalid` for one that is given twice."""
    found: dict[str, str] = {}
    for name, value in given:
        if name in found:
            raise Invalid(name, "is given twice")
        found[name] = value
    return found


def rows_of(found: Found) -> list[list[Any]]:
    """The rows as JSON has them: instants are in UTC and say so."""
    times = [kind.removeprefix("Nullable(").startswith("DateTime") for _, kind in found.columns]
    if not any(times):
        return [list(row) for row in found.rows]
    return [
        [_utc(value) if is_time else value for value, is_time in zip(row, times, strict=True)]
        for row in found.rows
    ]


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _told(parameter: Parameter) -> ParameterAnswer:
    return ParameterAnswer(*parameter)
