"""What ClickHouse knows, for those who ask over HTTP. Sending never waits for it."""

import asyncio
import logging
from importlib.resources import files
from typing import Any, Final

from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from analytics.client import connect, place
from tocsin.errors import EngineUnavailable
from tocsin.settings import Settings

log = logging.getLogger(__name__)

Rows = list[dict[str, Any]]

PATIENCE_SECONDS: Final = 5.0
_SQL = files("api") / "sql"


class Figures:
    """Connects when first asked, and again after a failure. Every method raises
    `EngineUnavailable` while ClickHouse is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AsyncClient | None = None
        self._connecting = asyncio.Lock()
        self._totals = (_SQL / "totals.sql").read_text()
        self._notification = (_SQL / "notification.sql").read_text()

    async def totals(self) -> Rows:
        """A row per channel: how many deliveries were accepted, and how they ended."""
        return await self._rows(self._totals, {})

    async def notification(self, notification_id: str, deliveries: list[str]) -> Rows:
        """What is on record of a notification and its deliveries (sql/notification.sql)."""
        return await self._rows(
            self._notification, {"id": notification_id, "deliveries": deliveries}
        )

    async def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _rows(self, sql: str, parameters: dict[str, Any]) -> Rows:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                client = await self._connected()
                answer = await client.query(sql, parameters=parameters)
                return [dict(row) for row in answer.named_results()]
        except (ClickHouseError, TimeoutError, OSError) as error:
            log.warning("ClickHouse: %s", error)
            raise EngineUnavailable(
                "ClickHouse", str(place(self._settings)), "figures come back when it does"
            ) from None

    async def _connected(self) -> AsyncClient:
        async with self._connecting:
            if self._client is None:
                self._client = await connect(self._settings)
            return self._client
