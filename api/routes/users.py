"""People: register, read, change, erase."""

from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, Response

from api.batch import ItemResult, Results, each, placed, refused, results
from api.bodies import UserBody, UserChange
from api.call import Call, answer, self_or, service
from api.changes import changed
from api.erase import erase_user
from api.people import known
from api.registration import Registration
from api.schema import described
from api.zones import check_zone
from tocsin.errors import Invalid, TocsinError
from tocsin.records import Profile

router = APIRouter(tags=["users"])

Writer = Annotated[Call, Depends(service("users:write"))]
Reader = Annotated[Call, Depends(self_or("users:read", "users:write"))]


class UserBatch(msgspec.Struct):
    """Up to 1,000 people."""

    users: list[UserBody]


@router.post("/v1/users", **described(UserBody, Profile, 201, ["users:write"], also=[200]))
async def register_user(call: Writer) -> Response:
    """Register a person: 201 when new, 200 when registered just so already, 409 when otherwise."""
    body = await call.body(UserBody)
    check_zone(body.preferences, "preferences.timezone")
    step = Registration(body, call.services.clock.now())
    profile = await call.services.people.change(body.user_id, step)
    place = f"/v1/users/{quote(profile.user_id, safe='')}"
    return answer(profile, 201 if step.created else 200, Location=place)


@router.post("/v1/users:batch", **described(UserBatch, Results, 200, ["users:write"]))
async def register_users(call: Writer) -> Response:
    """Register up to 1,000 people; each has its own result (201, 200, 409, 422)."""
    bodies = _distinct(each(UserBody, await call.raw(), "users"))
    now = call.services.clock.now()
    steps = {b.user_id: Registration(b, now) for b in bodies if isinstance(b, UserBody)}
    found = await call.services.people.change_many(steps)
    stored = dict(zip(steps, found, strict=True))
    return answer(results(_result(body, steps, stored) for body in bodies))


def _distinct(bodies: list[UserBody | TocsinError]) -> list[UserBody | TocsinError]:
    """Later items about the same person, and zones that do not exist, become errors."""
    first: dict[str, int] = {}
    return [_checked(body, index, first) for index, body in enumerate(bodies)]


def _checked(
    body: UserBody | TocsinError, index: int, first: dict[str, int]
) -> UserBody | TocsinError:
    if isinstance(body, TocsinError):
        return body
    try:
        check_zone(body.preferences, "preferences.timezone")
        if (before := first.setdefault(body.user_id, index)) != index:
            raise Invalid("user_id", f"users[{before}] is the same person")
    except Invalid as error:
        return placed(error, "users", index)
    return body


def _result(
    body: UserBody | TocsinError,
    steps: dict[str, Registration],
    stored: dict[str, Profile | TocsinError],
) -> ItemResult:
    if isinstance(body, TocsinError):
        return refused(body)
    found = stored[body.user_id]
    if isinstance(found, TocsinError):
        return refused(found, body.user_id)
    return ItemResult(201 if steps[body.user_id].created else 200, body.user_id)


@router.get("/v1/users/{user_id}", **described(None, Profile, 200, ["users:read"], own=True))
async def read_user(user_id: str, call: Reader) -> Response:
    """A person as stored."""
    return answer(known(await call.services.profiles.get(user_id), user_id))


@router.patch("/v1/users/{user_id}", **described(UserChange, Profile, 200, ["users:write"]))
async def change_user(user_id: str, call: Writer) -> Response:
    """Change contact data, topics, attributes (JSON Merge Patch): what is absent stays, null
    removes."""
    change = await call.body(UserChange)

    def step(before: Profile | None) -> Profile:
        return changed(known(before, user_id), change)

    return answer(await call.services.people.change(user_id, step))


@router.delete("/v1/users/{user_id}", **described(None, None, 204, ["users:write"]))
async def delete_user(user_id: str, call: Writer) -> Response:
    """Erase a person: contact data, devices, sign-ups, inbox."""
    if not await erase_user(call.services, user_id):
        known(None, user_id)
    return Response(status_code=204)


@router.delete("/v1/users/{user_id}/otp-lock", **described(None, None, 204, ["users:write"]))
async def lift_otp_lock(user_id: str, call: Writer) -> Response:
    """Lift the lock that too many wrong one-time codes in a row have set."""
    await call.services.otp.forget(user_id)
    return Response(status_code=204)
