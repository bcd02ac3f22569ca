"""The console's charts and tables from the books; 503 while ClickHouse is away."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from api.call import answer, operator
from api.ops.books import quantile
from api.ops.waves import Wave
from api.schema import described
from api.services import Services
from api.trace import utc
from tocsin.errors import Invalid

router = APIRouter(tags=["console"])

Operator = Annotated[Services, Depends(operator)]

_MINUTES_OF_HOURS: Final = 48
"""So many hours by the minute: about 3,000 points a channel and state."""

_READ: Final = ["stats:read"]


class SeriesPoint(msgspec.Struct):
    """Deliveries that ended so within the step that begins at `at`."""

    at: datetime
    channel: str
    state: str
    deliveries: int


class Series(msgspec.Struct):
    """In order of time; where nothing ended, there is no point."""

    step: str
    points: list[SeriesPoint]


class LatencyPoint(msgspec.Struct):
    """From acceptance to delivery, of what was delivered within the minute that begins at `at`."""

    at: datetime
    channel: str
    deliveries: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class Latency(msgspec.Struct):
    """In order of time."""

    points: list[LatencyPoint]


class FailureRow(msgspec.Struct):
    """Deliveries that failed, expired or were suppressed for one reason."""

    channel: str
    provider: str
    state: str
    reason: str
    deliveries: int
    last_at: datetime


class Failures(msgspec.Struct):
    """What failed first, the most frequent reason first; at most 500 rows."""

    rows: list[FailureRow]


class WaveList(msgspec.Struct):
    """The newest first."""

    waves: list[Wave]


@router.get("/v1/ops/series", **described(None, Series, 200, _READ))
async def read_series(
    services: Operator,
    hours: Annotated[int, Query(ge=1, le=744, description="How far back")] = 24,
    step: Annotated[Literal["minute", "hour"], Query(description="By the")] = "hour",
) -> Response:
    """How deliveries ended over time; by the minute for at most 48 hours."""
    if step == "minute" and hours > _MINUTES_OF_HOURS:
        raise Invalid("hours", f"by the minute, at most {_MINUTES_OF_HOURS} can be shown")
    rows = await services.desk.books.series(hours, step)
    points = [
        SeriesPoint(utc(row["bucket"]), row["channel"], row["state"], row["deliveries"])
        for row in rows
    ]
    return answer(Series(step, points))


@router.get("/v1/ops/latency", **described(None, Latency, 200, _READ))
async def read_latency(
    services: Operator,
    minutes: Annotated[int, Query(ge=1, le=1440, description="How far back")] = 60,
) -> Response:
    """How long deliveries took, minute by minute."""
    rows = await services.desk.books.latency(minutes)
    points = [
        LatencyPoint(
            utc(row["bucket"]),
            row["channel"],
            row["deliveries"],
            *(quantile(row, place) for place in range(3)),
        )
        for row in rows
    ]
    return answer(Latency(points))


@router.get("/v1/ops/failures", **described(None, Failures, 200, _READ))
async def read_failures(
    services: Operator,
    hours: Annotated[int, Query(ge=1, le=744, description="How far back")] = 24,
) -> Response:
    """What did not arrive, and why."""
    rows = await services.desk.books.failures(hours)
    return answer(Failures([FailureRow(**{**row, "last_at": utc(row["last_at"])}) for row in rows]))


@router.get("/v1/ops/waves", **described(None, WaveList, 200, _READ))
async def read_waves(
    services: Operator, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Response:
    """Restocks that told somebody, and what became of those who were told."""
    return answer(WaveList(await services.desk.waves.newest(limit)))
