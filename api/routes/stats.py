"""Figures. They come from ClickHouse; while it is away they answer 503 and nothing else does."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Response

from api.call import answer, operator
from api.schema import described
from api.services import Services

router = APIRouter(tags=["stats"])

Operator = Annotated[Services, Depends(operator)]


class Totals(msgspec.Struct):
    """Deliveries per channel and state: accepted, and of those delivered, failed, suppressed,
    expired, cancelled. What is missing to accepted is in flight."""

    channels: dict[str, dict[str, int]]


@router.get("/v1/stats/totals", **described(None, Totals, 200, ["stats:read"]))
async def read_totals(services: Operator) -> Response:
    """All deliveries so far. Open to all beside the sandbox."""
    rows = await services.figures.totals()
    found = {row["channel"]: {k: int(v) for k, v in row.items() if k != "channel"} for row in rows}
    return answer(Totals(found))
