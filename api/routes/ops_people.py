"""The console's search, and what one person was told."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.call import answer, operator
from api.ops.history import PersonTold, SearchFound
from api.schema import described
from api.services import Services

router = APIRouter(tags=["console"])

Operator = Annotated[Services, Depends(operator)]


@router.get("/v1/ops/search", **described(None, SearchFound, 200, ["stats:read"]))
async def search(
    services: Operator,
    q: Annotated[
        str, Query(min_length=1, max_length=160, description="How an id begins, a person's or not")
    ],
) -> Response:
    """People and notifications by the beginning of their ids."""
    return answer(await services.desk.history.search(q.strip() or q))


@router.get(
    "/v1/ops/users/{user_id}/notifications", **described(None, PersonTold, 200, ["stats:read"])
)
async def read_user_notifications(
    user_id: str,
    services: Operator,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="From an earlier page")] = None,
) -> Response:
    """What a person was to be told, and where it is; 503 while ClickHouse is away."""
    return answer(await services.desk.history.of_user(user_id, limit, cursor))
