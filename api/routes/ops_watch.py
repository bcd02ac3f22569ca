"""The console's overview: the system at a glance."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api.call import answer, operator
from api.ops.overview import Overview
from api.schema import described
from api.services import Services

router = APIRouter(tags=["console"])

Operator = Annotated[Services, Depends(operator)]


@router.get("/v1/ops/overview", **described(None, Overview, 200, ["stats:read"]))
async def read_overview(services: Operator) -> Response:
    """Engines, lag, channels, providers, sockets, what waits, dead letters; at most a second old,
    and null where it cannot be read now. Open to all beside the sandbox."""
    return answer(await services.desk.watch.overview())
