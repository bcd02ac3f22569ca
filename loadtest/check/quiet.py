"""When is a run over? Nobody behind on the log, twice, and no delivery without an end."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import NamedTuple

from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from analytics import stats
from analytics.client import connect
from loadtest.check.statements import statement
from tocsin.cli.quiesce import BETWEEN, is_quiet
from tocsin.errors import EngineUnavailable
from tocsin.lag import LagMeter, Positions
from tocsin.settings import Settings


class Standing(NamedTuple):
    """`lag` records that some group has not finished; `in_flight` deliveries without an end, and
    `later` of all that wait for an hour that has not come. `in_flight` is not known (None) while
    there is lag."""

    lag: int
    in_flight: int | None = None
    later: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do now."""
        return self.lag == 0 and self.in_flight == 0


Told = Callable[[Standing], None]


async def until_quiet(settings: Settings, seconds: float, told: Told | None = None) -> bool:
    """Wait until nothing accepted is in flight any more; False if `seconds` were not enough.

    The log is quiet when nobody was behind, twice, and nothing was added in between (`BETWEEN`);
    ClickHouse's writer is one of its readers. Then no delivery may be without an end, but for those
    that wait for their hour: quiet hours, `send_at`. What was lost never ends: the answer is False
    then, and the checker says what it was. An engine that is away is waited for.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(end):
            while True:
                try:
                    return await _settled(settings, told)
                except (EngineUnavailable, ClickHouseError, OSError):
                    await asyncio.sleep(BETWEEN)
    return False


async def _settled(settings: Settings, told: Told | None) -> bool:
    before: Positions | None = None
    client = await connect(settings)
    try:
        async with LagMeter(settings) as meter:
            while True:
                now = await meter.positions()
                standing = Standing(sum(now.lag().values()))
                if is_quiet(before, now):
                    standing = await _books(client)
                if told:
                    told(standing)
                if standing.settled:
                    return True
                before = now
                await asyncio.sleep(BETWEEN)
    finally:
        await client.close()


async def _books(client: AsyncClient) -> Standing:
    totals = await stats.totals(client)
    opened = sum(counts["in_flight"] for counts in totals.values())
    ((waiting, later),) = (await client.query(statement("standing"))).result_rows
    return Standing(0, max(0, opened - int(waiting)), int(later))
