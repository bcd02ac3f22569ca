"""What is happening, in numbers cheap enough to ask for once a second."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from tocsin.errors import EngineUnavailable
from tocsin.lag import LagMeter
from tocsin.settings import Settings

_SQL: Final = (Path(__file__).parent / "progress.sql").read_text()
_TIMEOUT: Final = 5.0


@dataclass(frozen=True)
class Progress:
    """Deliveries by channel and state, how many ended per second since the last look, and the
    records each consumer group has still to finish (None: not known now)."""

    at: float
    channels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    per_second: float = 0.0
    lag: Mapping[str, int] | None = None

    @property
    def ended(self) -> int:
        """Deliveries in a final state."""
        return sum(sum(states.values()) for states in self.channels.values())


class ProgressMeter:
    """Asks ClickHouse and Kafka. What does not answer keeps its last numbers: this only watches."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._meter: LagMeter | None = None
        self.last: Progress | None = None

    async def look(self) -> Progress:
        """The numbers now. Never raises for an engine that is away."""
        channels = await asyncio.to_thread(self._channels)
        now, before = time.monotonic(), self.last
        if channels is None:
            channels = before.channels if before else {}
        fresh = Progress(now, channels, lag=await self._lag())
        self.last = replace(fresh, per_second=_rate(before, fresh))
        return self.last

    async def close(self) -> None:
        """Let go of the connections."""
        if self._meter:
            await self._meter.__aexit__()
        if self._client:
            self._client.close()

    def _channels(self) -> Mapping[str, Mapping[str, int]] | None:
        found: dict[str, dict[str, int]] = {}
        try:
            self._client = self._client or connect(self._settings)
            rows = self._client.query(_SQL).result_rows
        except (ClickHouseError, OSError):
            self._client = None
            return None
        for channel, state, count in rows:
            found.setdefault(str(channel), {})[str(state)] = int(count)
        return found

    async def _lag(self) -> dict[str, int] | None:
        try:
            if self._meter is None:
                self._meter = await LagMeter(self._settings).__aenter__()
            async with asyncio.timeout(_TIMEOUT):
                positions = await self._meter.positions()
        except (KafkaError, EngineUnavailable, TimeoutError, OSError):
            return None
        total: dict[str, int] = {}
        for (group, _), behind in positions.lag().items():
            total[group] = total.get(group, 0) + behind
        return total


def _rate(before: Progress | None, now: Progress) -> float:
    """Deliveries ended per second in between; 0 at the first look, which has no between."""
    if before is None:
        return 0.0
    return max(0, now.ended - before.ended) / max(now.at - before.at, 0.001)


def connect(settings: Settings) -> Client:
    """A plain client of the ClickHouse at `settings.clickhouse_url`, with short time-outs."""
    url = urlsplit(settings.clickhouse_url.get_secret_value())
    options: dict[str, Any] = {"connect_timeout": 3, "send_receive_timeout": _TIMEOUT}
    return clickhouse_connect.get_client(
        host=url.hostname or "127.0.0.1",
        port=url.port or (8443 if url.scheme == "clickhouses" else 8123),
        username=unquote(url.username or "default"),
        password=unquote(url.password or ""),
        database=url.path.strip("/") or "tocsin",
        secure=url.scheme == "clickhouses",
        autogenerate_session_id=False,
        client_name="tocsin up",
        **options,
    )
