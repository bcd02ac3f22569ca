"""What ClickHouse tells the console: each question is asked once in a while however many look."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Any, Final, Literal

from api.figures import Figures, Rows
from api.ops.fresh import Fresh
from api.status import deliveries_of
from tocsin.errors import EngineUnavailable
from tocsin.records import CHANNELS

FRESH_SECONDS: Final = 2.0
PATIENCE_SECONDS: Final = 5.0
_REMEMBERED: Final = 64

_SQL: Final = {
    name: (files("api") / "sql" / f"ops_{name}.sql").read_text()
    for name in (
        "channels", "waits", "series_minute", "series_hour", "latency", "failures", "waves",
        "search", "user", "states",
    )
}  # fmt: skip

Row = Mapping[str, Any]


class Books:
    """Answers are rows of sql/ops_*.sql; while ClickHouse is away, or takes too long, methods raise
    `EngineUnavailable`."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._known: dict[tuple[object, ...], Fresh[Rows]] = {}

    async def channels(self) -> Rows:
        """Rates and latencies of each channel."""
        return await self._asked("channels", {})

    async def waits(self) -> Rows:
        """What waits, of each channel."""
        return await self._asked("waits", {})

    async def series(self, hours: int, step: Literal["minute", "hour"]) -> Rows:
        """Ends of the last hours, by the step: from the rollups."""
        return await self._asked(f"series_{step}", {"hours": hours})

    async def latency(self, minutes: int) -> Rows:
        """By minute."""
        return await self._asked("latency", {"minutes": minutes})

    async def failures(self, hours: int) -> Rows:
        """By reason, the most frequent failure first."""
        return await self._asked("failures", {"hours": hours})

    async def waves(self, limit: int) -> Rows:
        """The newest first."""
        return await self._asked("waves", {"limit": limit, "channels": tuple(CHANNELS)})

    async def search(self, prefix: str, limit: int) -> Rows:
        """Notifications whose id begins so."""
        return await self._figures.rows(_SQL["search"], {"id": prefix, "limit": limit})

    async def of_user(self, user_id: str, before: tuple[int, str], limit: int) -> Rows:
        """Requests about a person, from before a place in their order (ms, id)."""
        at, name = before
        parameters = {"user": user_id, "at": at, "id": name, "limit": limit}
        return await self._figures.rows(_SQL["user"], parameters)

    async def states(self, notification_ids: Sequence[str]) -> dict[str, dict[str, Row]]:
        """notification → channel → its last row on record."""
        found: dict[str, dict[str, Row]] = {name: {} for name in notification_ids}
        if not notification_ids:
            return found
        deliveries = [name for each in notification_ids for name in deliveries_of(each)]
        parameters = {"ids": list(notification_ids), "deliveries": deliveries}
        for row in await self._figures.rows(_SQL["states"], parameters):
            found[row["notification_id"]][row["channel"]] = row
        return found

    async def _asked(self, name: str, parameters: dict[str, Any]) -> Rows:
        key = name, *parameters.values()
        fresh = self._known.get(key)
        if fresh is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            given = {k: list(v) if isinstance(v, tuple) else v for k, v in parameters.items()}
            ask = partial(self._figures.rows, _SQL[name], given)
            fresh = self._known[key] = Fresh(ask, FRESH_SECONDS, PATIENCE_SECONDS)
        found = await fresh.get()
        if found is None:
            raise EngineUnavailable("ClickHouse", "its address", "figures come back when it does")
        return found


def quantile(row: Row, place: int) -> float | None:
    """One of a row's quantiles in milliseconds; None where nothing was counted."""
    value = float(row["quantiles"][place])
    return None if math.isnan(value) else round(value, 1)
