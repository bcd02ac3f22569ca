"""What ClickHouse knows, for those who ask over HTTP. Sending never waits for it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any, Final, TypeVar

from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from analytics import stats
from analytics.client import connect, place
from analytics.questions import Found, Question, ask
from tocsin.errors import EngineUnavailable
from tocsin.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")
Rows = list[dict[str, Any]]
Totals = Mapping[str, Mapping[str, int]]

PATIENCE_SECONDS: Final = 5.0
FRESH_SECONDS: Final = 1.0
"""However many pages are open, the totals are counted once in so long."""

_REST: Final = 10
"""Times as long as counting took it is not counted again: over millions it takes seconds, in which
others are to be answered, too."""

MOST_ROWS: Final = 10_000
"""Of the answer to a question."""

_BACK: Final = "figures come back when it does"
_TOO_LONG: Final = 159
"""ClickHouse's own number for a query that ran longer than it may."""


class Figures:
    """Connects when first asked, and again after a failure. Every method raises
    `EngineUnavailable` while ClickHouse is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AsyncClient | None = None
        self._connecting, self._counting = asyncio.Lock(), asyncio.Lock()
        self._totals: Totals = {}
        self._stale_at = float("-inf")
        self._notification = (files("api") / "sql" / "notification.sql").read_text()
        self._whose = (files("api") / "sql" / "whose.sql").read_text()
        self._told = (files("api") / "sql" / "told.sql").read_text()

    async def totals(self) -> Totals:
        """channel → state → deliveries, at most a second old, or ten times what counting took."""
        async with self._counting:
            if time.monotonic() > self._stale_at:
                began = time.monotonic()
                self._totals = await self._asked(stats.totals)
                took = time.monotonic() - began
                self._stale_at = began + took + max(FRESH_SECONDS, _REST * took)
            return self._totals

    async def notification(self, notification_id: str, deliveries: list[str]) -> Rows:
        """What is on record of a notification and its deliveries (sql/notification.sql)."""
        parameters = {"id": notification_id, "deliveries": deliveries}
        return await self.rows(self._notification, parameters)

    async def told(self, deliveries: list[str]) -> Rows:
        """Those of these deliveries that have ended (sql/told.sql)."""
        return await self.rows(self._told, {"deliveries": deliveries})

    async def whose(self, deliveries: list[str]) -> Rows:
        """Whose notifications these deliveries are of (sql/whose.sql)."""
        return await self.rows(self._whose, {"deliveries": deliveries})

    async def rows(self, query: str, parameters: Mapping[str, Any]) -> Rows:
        """The answer to any query, a mapping per row."""

        async def rows(client: AsyncClient) -> Rows:
            answer = await client.query(query, parameters=dict(parameters))
            return [dict(row) for row in answer.named_results()]

        return await self._asked(rows)

    async def answer(self, question: Question, parameters: Mapping[str, Any]) -> Found:
        """What a named question comes to, at most MOST_ROWS of it. Raises `EngineUnavailable` also
        for one that takes too long."""

        async def asked(client: AsyncClient) -> Found:
            try:
                return await ask(client, question, parameters, MOST_ROWS, PATIENCE_SECONDS)
            except ClickHouseError as error:
                if getattr(error, "code", None) != _TOO_LONG:
                    raise
                raise TimeoutError from None

        return await self._asked(asked, f"{question.name} takes too long: ask for fewer hours")

    async def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _asked(self, ask: Callable[[AsyncClient], Awaitable[T]], slow: str = _BACK) -> T:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await ask(await self._connected())
        except (ClickHouseError, TimeoutError, OSError) as error:
            log.warning("ClickHouse: %s", error)
            where = str(place(self._settings))
            next_step = slow if isinstance(error, TimeoutError) else _BACK
            raise EngineUnavailable("ClickHouse", where, next_step) from None

    async def _connected(self) -> AsyncClient:
        async with self._connecting:
            if self._client is None:
                self._client = await connect(self._settings)
            return self._client
