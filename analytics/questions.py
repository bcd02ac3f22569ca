"""Questions analysts ask: analytics/queries/questions/<name>.sql, one statement each.

A file opens with comment lines: the first sentence is what it is `about`, more of them say what is
counted, and the last lines declare its parameters: ``-- name: Type = default; what it is for``.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver import AsyncClient

from analytics.named import DIRECTORY as QUERIES
from analytics.parameters import PRICES, TYPES, Parameter, bundled_prices, values
from tocsin.errors import ConfigError, Refused

DIRECTORY: Final = QUERIES / "questions"

_PARAMETER: Final = re.compile(r"(\w+): (\S.*?) = (.*?); (.+)")
_USED: Final = re.compile(r"\{(\w+):((?:[^{}])+)\}")


class Question(NamedTuple):
    """A statement without comments, and how it is asked. `about` is a sentence, `detail` the rest
    of what is to be known of its figures."""

    name: str
    about: str
    detail: str
    parameters: tuple[Parameter, ...]
    sql: str

    def values(self, given: Mapping[str, str], now: datetime) -> dict[str, Any]:
        """What is sent with the statement. Raises `Invalid` naming a parameter."""
        return values(self.parameters, given, now)


class Found(NamedTuple):
    """An answer: columns as (name, ClickHouse type), rows, and whether there were more."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]
    truncated: bool


@lru_cache
def questions(directory: Path = DIRECTORY) -> Mapping[str, Question]:
    """All of them by name, in order. Raises `ConfigError` for a file that is not well made."""
    return {path.stem: parsed(path.stem, path.read_text(encoding="utf-8"))
            for path in sorted(directory.glob("*.sql"))}  # fmt: skip


def question(name: str) -> Question:
    """The question of that name. Raises `Refused` ("not_found")."""
    if (found := questions().get(name)) is None:
        raise Refused(
            "not_found", f"there is no question {name!r}; there are {', '.join(questions())}"
        )
    return found


def parsed(name: str, text: str) -> Question:
    """A question's file, read. Raises `ConfigError` where it is not well made."""
    lines = text.splitlines()
    said = [line[2:].strip() for line in lines if line.startswith("--")]
    sql = "\n".join(line for line in lines if not line.startswith("--")).strip()
    declared = [match for line in said if (match := _PARAMETER.fullmatch(line))]
    parameters = tuple(Parameter(m[1], m[2], _default(m[3]), m[4]) for m in declared)
    if not said or (wrong := [p.name for p in parameters if p.type not in TYPES]):
        raise ConfigError(f"{name}.sql: what it is about, and parameters of known types: {wrong}")
    if {(p.name, p.type) for p in parameters} != set(_USED.findall(sql)):
        raise ConfigError(f"{name}.sql: the parameters declared are not those used")
    prose = " ".join(line for line in said if not _PARAMETER.fullmatch(line))
    about, _, detail = prose.partition(". ")
    return Question(name, about.removesuffix(".") + ".", detail, parameters, sql)


async def ask(
    client: AsyncClient, asked: Question, parameters: Mapping[str, Any], most: int, seconds: float
) -> Found:
    """The answer, at most `most` rows of it. Read-only, and ended by ClickHouse after `seconds`.

    Raises what clickhouse-connect raises.
    """
    settings = {"readonly": "2", "max_execution_time": str(seconds)}
    text = f"{asked.sql}\nLIMIT {most + 1}"
    result = await client.query(text, parameters=dict(parameters), settings=settings)
    kinds = [_plain(kind.name) for kind in result.column_types]
    columns = list(zip(result.column_names, kinds, strict=True))
    rows = result.result_rows
    return Found(columns, rows[:most], len(rows) > most)


def _default(said: str) -> str:
    return bundled_prices() if said == PRICES.name else said


def _plain(kind: str) -> str:
    """How a column is stored is nobody's business."""
    return re.sub(r"LowCardinality\((.+)\)", r"\1", kind)
