"""Preferences: what a person wants, on which channel, and when not."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from msgspec.structs import replace

from api.call import Call, answer, self_or
from api.people import known
from api.schema import described
from api.zones import check_zone
from tocsin.records import Preferences, Profile

router = APIRouter(tags=["preferences"])

_PATH = "/v1/users/{user_id}/preferences"
Reader = Annotated[Call, Depends(self_or("users:read", "users:write"))]
Writer = Annotated[Call, Depends(self_or("users:write"))]


@router.get(_PATH, **described(None, Preferences, 200, ["users:read"], own=True))
async def read_preferences(user_id: str, call: Reader) -> Response:
    """A person's preferences."""
    return answer(known(await call.services.profiles.get(user_id), user_id).preferences)


@router.put(_PATH, **described(Preferences, Preferences, 200, ["users:write"], own=True))
async def put_preferences(user_id: str, call: Writer) -> Response:
    """Replace a person's preferences."""
    wanted = await call.body(Preferences)
    check_zone(wanted, "timezone")

    def step(before: Profile | None) -> Profile:
        there = known(before, user_id)
        return there if there.preferences == wanted else replace(there, preferences=wanted)

    return answer((await call.services.people.change(user_id, step)).preferences)
