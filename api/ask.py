"""The named questions over HTTP: one answer a second for all who ask the same."""

import asyncio
import math
import time
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from analytics.questions import Question
from api.figures import FRESH_SECONDS, Figures, Table
from api.trace import utc

MOST: Final = 10_000
"""Rows of an answer; what is beyond is left out and said so."""

_KEPT: Final = 200


class Column(msgspec.Struct):
    """`type` is ClickHouse's."""

    name: str
    type: str


class Answer(msgspec.Struct):
    """Rows have a value per column; `truncated`: there are more rows than are shown."""

    name: str
    about: str
    columns: list[Column]
    rows: list[list[Any]]
    truncated: bool


class Answers:
    """What was asked last. Lives in one event loop."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._kept: dict[tuple[Any, ...], tuple[float, Answer]] = {}
        self._asking: dict[tuple[Any, ...], asyncio.Lock] = {}

    async def of(self, question: Question, values: Mapping[str, Any]) -> Answer:
        """The answer, at most a second old. Raises `EngineUnavailable` without ClickHouse."""
        key = (question.name, *sorted(values.items()))
        async with self._asking.setdefault(key, asyncio.Lock()):
            kept = self._kept.get(key)
            if kept is None or time.monotonic() >= kept[0]:
                table = await self._figures.table(question.sql, values, MOST + 1)
                self._forget()
                kept = time.monotonic() + FRESH_SECONDS, answer_of(question, table)
                self._kept[key] = kept
            return kept[1]

    def _forget(self) -> None:
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        if len(self._asking) >= 2 * _KEPT:
            self._asking = {key: lock for key, lock in self._asking.items() if lock.locked()}


def answer_of(question: Question, table: Table) -> Answer:
    """A table as the answer to a question."""
    return Answer(
        question.name,
        question.about,
        [Column(name, kind) for name, kind in table.columns],
        [[_plain(value) for value in row] for row in table.rows[:MOST]],
        len(table.rows) > MOST,
    )


def _plain(value: Any) -> Any:
    """As JSON has it: instants in UTC, no NaN."""
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, (str, int, float, date, type(None))) else str(value)
