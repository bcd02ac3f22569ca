"""`python -m analytics.sql "SELECT ..."`: ask ClickHouse, read-only."""

import argparse
import asyncio
import sys
from functools import partial

from clickhouse_connect.driver.exceptions import ClickHouseError

from analytics.client import connect
from analytics.terminal import print_table
from tocsin.process import run
from tocsin.settings import Settings

_READ_ONLY = {"readonly": "2"}


async def main(arguments: argparse.Namespace, settings: Settings, _: asyncio.Event) -> None:
    """Print the answer; exit 1 with ClickHouse's own words when it has none."""
    sql = sys.stdin.read() if arguments.sql == "-" else arguments.sql
    client = await connect(settings)
    try:
        if arguments.format:
            answer = await client.raw_query(sql, fmt=arguments.format, settings=_READ_ONLY)
            sys.stdout.buffer.write(answer)
            sys.stdout.flush()
            return
        result = await client.query(sql, settings=_READ_ONLY)
        print_table("", result.column_names, result.result_rows)
    except ClickHouseError as error:
        print(str(error).strip(), file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        await client.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="analytics.sql", description=__doc__)
    parser.add_argument("sql", help="the query, or - to read it from standard input")
    parser.add_argument("--format", help="any ClickHouse format instead of a table: CSV, JSON, ...")
    return parser.parse_args()


if __name__ == "__main__":
    run("sql", partial(main, _arguments()), metrics=False)
