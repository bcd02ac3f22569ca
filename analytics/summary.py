"""`python -m analytics.summary --json`: the `--summary` fields that ClickHouse knows."""

import argparse
import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from clickhouse_connect.driver import AsyncClient

from analytics.client import connect
from analytics.named import query
from analytics.terminal import print_table
from tocsin.process import run
from tocsin.records import CHANNELS
from tocsin.settings import Settings

COUNTS: Final = (
    "accepted", "delivered", "failed", "suppressed", "expired", "cancelled", "in_flight"
)  # fmt: skip
Summary = dict[str, Any]


async def summary(client: AsyncClient) -> Summary:
    """Deliveries in all and by channel, notifications by type, stock changes, OTP latency."""
    by_channel = await _by_channel(client)
    notifications = await client.query(query("notifications"))
    inventory = await client.query(query("inventory_records"))
    return {
        **{name: sum(counts[name] for counts in by_channel.values()) for name in COUNTS},
        "by_channel": by_channel,
        "notifications": {str(kind): int(n) for kind, n in notifications.result_rows},
        "inventory_records": int(inventory.result_rows[0][0]),
        "otp_ms": await _otp_ms(client),
    }


async def _by_channel(client: AsyncClient) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for channel in CHANNELS:
        found[channel.value]
    result = await client.query(query("conservation"))
    for row in result.named_results():
        for name in COUNTS:
            found[row["channel"]][name] += int(row[name])
    return dict(found)


async def _otp_ms(client: AsyncClient) -> Mapping[str, int | None]:
    count, quantiles = (await client.query(query("otp_ms"))).result_rows[0]
    values = [int(value) for value in quantiles] if count else [None] * 3
    return dict(zip(("p50", "p95", "p99"), values, strict=True))


async def main(arguments: argparse.Namespace, settings: Settings, _: asyncio.Event) -> None:
    """Print and exit 0."""
    client = await connect(settings)
    try:
        found = await summary(client)
    finally:
        await client.close()
    if arguments.json:
        print(json.dumps(found))
        return
    rows = [(channel, *counts.values()) for channel, counts in found["by_channel"].items()]
    print_table("Deliveries", ("channel", *COUNTS), rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="analytics.summary", description=__doc__)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    run("summary", partial(main, _arguments()), metrics=False)
