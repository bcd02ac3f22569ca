"""Topics: what a person follows, and is told by broadcasts to it."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Response
from msgspec.structs import replace

from api.auth import require_service
from api.call import Call, answer, self_or
from api.changes import checked_topics
from api.people import known
from api.schema import described
from tocsin.errors import Invalid
from tocsin.records import Profile
from tocsin.records.broadcast import ADMINS

router = APIRouter(tags=["topics"])

_PATH: Final = "/v1/users/{user_id}/topics/{topic}"
_SCOPE: Final = "users:write"
_CHARS: Final = 128
Caller = Annotated[Call, Depends(self_or(_SCOPE))]


class Topics(msgspec.Struct):
    """Everything the person follows."""

    topics: tuple[str, ...]


@router.put(_PATH, **described(None, Topics, 200, [_SCOPE], own=True))
async def follow_topic(user_id: str, topic: str, call: Caller) -> Response:
    """Follow a topic. Who belongs to the topic `admins` is for services to say."""
    return answer(await _change(call, user_id, topic, follow=True))


@router.delete(_PATH, **described(None, Topics, 200, [_SCOPE], own=True))
async def leave_topic(user_id: str, topic: str, call: Caller) -> Response:
    """Follow a topic no more; one that is not followed is left already."""
    return answer(await _change(call, user_id, topic, follow=False))


async def _change(call: Call, user_id: str, topic: str, *, follow: bool) -> Topics:
    if not 1 <= len(topic) <= _CHARS:
        raise Invalid("", f"a topic has 1 to {_CHARS} characters")
    if topic == ADMINS:
        require_service(call.identity, _SCOPE)

    def step(before: Profile | None) -> Profile:
        there = known(before, user_id)
        topics = {*there.topics, topic} if follow else {*there.topics} - {topic}
        wanted = checked_topics(topics, "")
        return there if wanted == there.topics else replace(there, topics=wanted)

    return Topics((await call.services.people.change(user_id, step)).topics)
