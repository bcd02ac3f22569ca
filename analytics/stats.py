"""Numbers for the API: how many deliveries there are, by channel and state."""

from collections.abc import Mapping

from clickhouse_connect.driver import AsyncClient

from analytics.named import query
from tocsin.records import CHANNELS, TERMINAL

STATES = ("accepted", *sorted(state.value for state in TERMINAL), "in_flight")


async def totals(client: AsyncClient) -> Mapping[str, Mapping[str, int]]:
    """channel → {accepted, delivered, ..., in_flight} → deliveries, all known channels present.

    `in_flight` is what was accepted and has not ended; never below 0 while blocks are arriving.
    """
    found = {str(channel): dict.fromkeys(STATES, 0) for channel in CHANNELS}
    result = await client.query(query("totals"))
    for channel, state, deliveries in result.result_rows:
        found.setdefault(channel, dict.fromkeys(STATES, 0))[state] = int(deliveries)
    for counts in found.values():
        ended = sum(counts[state.value] for state in TERMINAL)
        counts["in_flight"] = max(0, counts["accepted"] - ended)
    return found
