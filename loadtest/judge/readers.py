"""What a sampler reads: each reader keeps its connection, and drops it when it failed."""

import asyncio
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from clickhouse_connect.driver import AsyncClient

from analytics.client import connect
from loadtest.processes import Processes, Usage
from tocsin.groups import ANALYTICS
from tocsin.lag import LagMeter
from tocsin.settings import Settings
from tocsin.topics import REQUESTS

_BOOKS: Final = Path(__file__).with_name("books.sql").read_text(encoding="utf-8")


class Reader(Protocol):
    """Something that can be asked again and again. `read` raises whatever went wrong."""

    patience: float
    """Seconds one reading may take."""

    async def read(self) -> Any: ...
    async def close(self) -> None: ...


class Used:
    """What the processes below `root` use; read in a thread, since /proc makes others wait."""

    patience = 10.0

    def __init__(self, root: int) -> None:
        self._processes = Processes(root)

    async def read(self) -> Usage:
        return await asyncio.to_thread(self._processes.read)

    async def close(self) -> None:
        """There is nothing to let go of."""


class Behind:
    """Records not yet finished, by topic; `topic (writer)` is the analytics writer's. What is not
    behind is left out, but for the first topic: so it can be told from what was not measured."""

    patience = 60.0
    """A Kafka that nobody has used yet makes its coordinator when first asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._meter: LagMeter | None = None

    async def read(self) -> dict[str, int]:
        if self._meter is None:
            self._meter = LagMeter(self._settings)  # held first, so that a time-out closes it too
            await self._meter.__aenter__()
        lag = (await self._meter.positions()).lag()
        named = {
            f"{topic} (writer)" if group == ANALYTICS else topic: records
            for (group, topic), records in lag.items()
        }
        return {topic: n for topic, n in named.items() if n or topic == REQUESTS.name}

    async def close(self) -> None:
        """Let go of the connections."""
        meter, self._meter = self._meter, None
        if meter is not None:
            await meter.__aexit__()


class Books(NamedTuple):
    """Deliveries opened and ended so far."""

    opened: int
    ended: int


class Booked:
    """What ClickHouse has."""

    patience = 15.0

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AsyncClient | None = None

    async def read(self) -> Books:
        if self._client is None:
            self._client = await connect(self._settings, patience=int(self.patience))
        opened, ended = (await self._client.query(_BOOKS)).result_rows[0]
        return Books(int(opened or 0), int(ended or 0))

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
