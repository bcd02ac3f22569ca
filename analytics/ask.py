"""`python -m analytics.ask [NAME [parameter=value ...]]`: the named questions and their answers."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from functools import partial

from clickhouse_connect.driver.exceptions import ClickHouseError

from analytics.client import connect
from analytics.questions import Question, questions
from analytics.terminal import print_table
from tocsin.errors import Invalid
from tocsin.process import run
from tocsin.settings import Settings

_READ_ONLY = {"readonly": "2"}
_EPILOG = "examples: tocsin ask | tocsin ask funnel hours=24 | tocsin ask revenue --format CSV"


def chosen(name: str) -> Question:
    """The question of that name. Raises `Invalid` naming those there are."""
    if name not in questions():
        raise Invalid("question", f"there is no {name!r}; there are {', '.join(questions())}")
    return questions()[name]


def pairs(words: Sequence[str]) -> dict[str, str]:
    """``name=value`` words. Raises `Invalid` for any other."""
    for word in words:
        if "=" not in word:
            raise Invalid(word, "parameters are given as name=value")
    return dict(word.split("=", 1) for word in words)


async def main(
    question: Question, values: Mapping[str, object], form: str | None, settings: Settings,
    _: asyncio.Event,
) -> None:  # fmt: skip
    """Print the answer; exit 1 with ClickHouse's own words when it has none."""
    client = await connect(settings)
    try:
        if form:
            answer = await client.raw_query(
                question.sql, dict(values), fmt=form, settings=_READ_ONLY
            )
            sys.stdout.buffer.write(answer)
            sys.stdout.flush()
            return
        result = await client.query(question.sql, dict(values), settings=_READ_ONLY)
        print_table("", result.column_names, result.result_rows)
    except ClickHouseError as error:
        print(str(error).strip(), file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        await client.close()


def listing() -> str:
    """Every question with its parameters, for a terminal."""
    lines = []
    for question in questions().values():
        lines += [question.name, f"    {question.about}"]
        lines += [f"    {p.name}={p.default}: {p.about}" for p in question.parameters]
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tocsin ask", description=__doc__, epilog=_EPILOG)
    parser.add_argument("name", nargs="?", help="the question; without one they are listed")
    parser.add_argument("parameter", nargs="*", help="name=value, as listed")
    parser.add_argument("--format", help="any ClickHouse format instead of a table: CSV, JSON, ...")
    return parser.parse_args()


def _begin() -> None:
    arguments = _arguments()
    if arguments.name is None:
        print(listing())
        return
    try:
        question = chosen(arguments.name)
        values = question.given(pairs(arguments.parameter))
    except Invalid as error:
        sys.exit(f"tocsin ask: {error}")
    run("ask", partial(main, question, values, arguments.format), metrics=False)


if __name__ == "__main__":
    _begin()
