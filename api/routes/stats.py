"""Figures. They come from ClickHouse; while it is away they answer 503 and nothing else does."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Response

from api.call import answer, operator
from api.schema import described
from api.services import Services

router = APIRouter(tags=["stats"])

Operator = Annotated[Services, Depends(operator)]


class Totals(msgspec.Struct):
    """Deliveries per channel: accepted = delivered + failed + suppressed + expired + cancelled +
    in_flight."""

    channels: Mapping[str, Mapping[str, int]]


@router.get("/v1/stats/totals", **described(None, Totals, 200, ["stats:read"]))
async def read_totals(services: Operator) -> Response:
    """All deliveries so far. Open to all beside the sandbox."""
    return answer(Totals(await services.figures.totals()))
