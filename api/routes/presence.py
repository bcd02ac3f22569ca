"""Presence: who of an audience is connected now."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from api.call import Call, answer, service
from api.schema import described
from tocsin.records.broadcast import ADMINS

router = APIRouter(tags=["live"])

Reader = Annotated[Call, Depends(service("stats:read"))]


class Member(msgspec.Struct):
    """Somebody with a socket open."""

    user_id: str


class Presence(msgspec.Struct):
    """Members who are connected, in the order of their ids; `cursor` asks for the next page, null
    on the last. `connected` counts all people who are, members or not; where `exact` is false,
    somebody with devices on several shards more than once."""

    audience: str
    members: list[Member]
    cursor: str | None
    connected: int
    exact: bool


@router.get("/v1/presence", **described(None, Presence, 200, ["stats:read"]))
async def read_presence(
    call: Reader,
    audience: Annotated[Literal["admins"], Query(description="Whose presence")],
    cursor: Annotated[
        str, Query(max_length=128, description="From an earlier page: after this id")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Response:
    """Which members of an audience are connected now, and how many people in all."""
    present = call.services.present
    members = await present.followers(ADMINS, cursor, limit)
    connected, exact = await present.count()
    shown = [Member(user_id) for user_id in members.user_ids]
    return answer(Presence(audience, shown, members.cursor, connected, exact))
