"""Figures. They come from ClickHouse; while it is away they answer 503 and nothing else does."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from api.call import answer, operator
from api.schema import described
from api.services import Services
from api.stats import QuestionsAnswer, StatAnswer, listed

router = APIRouter(tags=["stats"])

Operator = Annotated[Services, Depends(operator)]


class Totals(msgspec.Struct):
    """Deliveries per channel: accepted = delivered + failed + suppressed + expired + cancelled +
    in_flight; of those accepted in the last 30 days."""

    channels: Mapping[str, Mapping[str, int]]


@router.get("/v1/stats", **described(None, QuestionsAnswer, 200, ["stats:read"]))
async def list_questions(services: Operator) -> Response:
    """The questions there are, with their parameters. Open to all beside the sandbox."""
    return answer(listed())


@router.get("/v1/stats/totals", **described(None, Totals, 200, ["stats:read"]))
async def read_totals(services: Operator) -> Response:
    """Deliveries accepted in the last 30 days, as long as their rows are kept. Open to all beside
    the sandbox."""
    return answer(Totals(await services.figures.totals()))


@router.get("/v1/stats/{name}", **described(None, StatAnswer, 200, ["stats:read"]))
async def ask_question(name: str, request: Request, services: Operator) -> Response:
    """The answer to a question; its parameters are the query's (`?hours=48`), those that are not
    given are as `GET /v1/stats` says. At most a second old. Open to all beside the sandbox."""
    found = await services.stats.answer(name, request.query_params.multi_items())
    return Response(found, media_type="application/json")
