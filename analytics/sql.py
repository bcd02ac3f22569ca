"""Ask ClickHouse, read-only: a query of your own, or one of the questions that are there by name.

tocsin sql "SELECT count() FROM tocsin.deliveries FINAL"
tocsin sql --list                                     the questions and their parameters
tocsin sql --named funnel --param hours=48            one of them
tocsin sql --named revenue --format CSV > revenue.csv
tocsin sql --named funnel --show                      its SQL, for any other client
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from analytics.client import connect
from analytics.questions import question, questions
from analytics.terminal import print_table
from tocsin.errors import Invalid, Refused
from tocsin.process import run
from tocsin.settings import Settings

_READ_ONLY: Final = {"readonly": "2"}
_MORE: Final = """\
tables: requests, accepted, deliveries (how each ended), engagement, inventory, waves, decisions,
dead_letters, of the database tocsin. Put FINAL after a table's name: what was written twice then
counts once. What a parameter does not say is its default; `until=2026-11-24T12:00:00Z` asks about
the past. The same questions over HTTP: GET /v1/stats, and GET /v1/stats/funnel?hours=48.
"""


class Asked(NamedTuple):
    """A statement and what goes with it."""

    sql: str
    parameters: dict[str, Any]


async def main(arguments: argparse.Namespace, asked: Asked, settings: Settings,
               _: asyncio.Event) -> None:  # fmt: skip
    """Print the answer; exit 1 with ClickHouse's own words when it has none."""
    client = await connect(settings)
    try:
        await _answer(client, asked, arguments.format)
    except ClickHouseError as error:
        print(str(error).strip(), file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        await client.close()


async def _answer(client: AsyncClient, asked: Asked, format_: str | None) -> None:
    if format_:
        answer = await client.raw_query(
            asked.sql, asked.parameters, settings=_READ_ONLY, fmt=format_
        )
        sys.stdout.buffer.write(answer)
        sys.stdout.flush()
        return
    result = await client.query(asked.sql, asked.parameters, settings=_READ_ONLY)
    print_table("", result.column_names, result.result_rows)


def named(name: str, given: Sequence[str], now: datetime) -> Asked:
    """A question with parameters as they were given, ``name=value``.

    Raises `Refused` for an unknown question, `Invalid` naming a wrong parameter.
    """
    found = question(name)
    pairs = [each.partition("=") for each in given]
    for key, equals, _ in pairs:
        if not equals:
            raise Invalid(key, "say it as name=value")
    if twice := [key for key, times in Counter(key for key, _, _ in pairs).items() if times > 1]:
        raise Invalid(twice[0], "is given twice")
    return Asked(found.sql, found.values({key: value for key, _, value in pairs}, now))


def listed() -> str:
    """Every question: what it is about, and its parameters with their defaults."""
    blocks = []
    for each in questions().values():
        lines = [f"{each.name}: {each.about}"]
        for p in each.parameters:
            lines.append(f"    --param {p.name}={p.default or '…'}   {p.about}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _arguments() -> tuple[argparse.Namespace, Asked | None]:
    parser = argparse.ArgumentParser(
        prog="tocsin sql", description=__doc__, epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("sql", nargs="?", help="a query, or - to read it from standard input")
    what.add_argument("--named", metavar="NAME", help="ask this question")
    what.add_argument("--list", action="store_true", help="the questions there are")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE",
                        help="a parameter of the question; may be given several times")  # fmt: skip
    parser.add_argument("--show", action="store_true", help="print the question's SQL, do not ask")
    parser.add_argument("--format", help="any ClickHouse format instead of a table: CSV, JSON, ...")
    arguments = parser.parse_args()
    if arguments.list:
        print(listed())
        return arguments, None
    if not arguments.named:
        if arguments.param or arguments.show:
            parser.error("--param and --show go with --named")
        return arguments, Asked(sys.stdin.read() if arguments.sql == "-" else arguments.sql, {})
    try:
        asked = named(arguments.named, arguments.param, datetime.now(UTC))
    except (Refused, Invalid) as error:
        parser.error(str(error))
    if arguments.show:
        print(asked.sql)
        return arguments, None
    return arguments, asked


if __name__ == "__main__":
    arguments_, asked_ = _arguments()
    if asked_ is not None:
        run("sql", partial(main, arguments_, asked_), metrics=False)
