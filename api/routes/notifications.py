"""Notifications: ask for one, ask for many, ask what became of one."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Response

from api.accept import AcceptedMany, AcceptedOne
from api.bodies import NotificationBody
from api.call import Call, answer, anyone, service
from api.idempotent import HEADER, key_of
from api.schema import described
from api.services import Services
from api.status import NotificationStatus, deliveries_of, merge
from tocsin.errors import EngineUnavailable, Refused
from tocsin.store import keys
from tocsin.store.client import raw as raw_replies

router = APIRouter(tags=["notifications"])

_WRITE = ["notifications:write"]
_READ = ["notifications:read"]
Anyone = Annotated[Call, Depends(anyone)]
Writer = Annotated[Call, Depends(service(*_WRITE))]


class NotificationBatch(msgspec.Struct):
    """Up to 1,000 requests."""

    requests: list[NotificationBody]


@router.post("/v1/notifications", **described(NotificationBody, AcceptedOne, 202, _WRITE, [HEADER]))
async def send_notification(call: Writer) -> Response:
    """Tell one person one thing. 202 means that it is kept, whatever fails from now on."""
    raw = await call.raw()
    key = key_of(call.request, call.services.idempotency, call.identity.subject, raw)
    accepted = await call.services.accept.one(raw, key)
    return answer(accepted, 202)


@router.post(
    "/v1/notifications:batch",
    **described(NotificationBatch, AcceptedMany, 202, _WRITE, [HEADER]),
)
async def send_notifications(call: Writer) -> Response:
    """Up to 1,000 requests at once. 422 only when none of them can be taken."""
    raw = await call.raw()
    key = key_of(call.request, call.services.idempotency, call.identity.subject, raw)
    return answer(await call.services.accept.many(raw, key), 202)


@router.get(
    "/v1/notifications/{notification_id}",
    **described(None, NotificationStatus, 200, _READ, own=True),
)
async def read_notification(notification_id: str, call: Anyone) -> Response:
    """What became of a notification, channel by channel. Another person's is not there at all."""
    if call.identity.kind == "service":
        call.allow_self_or("", *_READ, *_WRITE)
    found = await _status(call.services, notification_id)
    mine = found is not None and found.user_id == call.identity.subject
    if found is None or not (mine or call.identity.kind == "service"):
        raise Refused("not_found", f"nothing is known of notification {notification_id!r} yet")
    return answer(found)


async def _status(services: Services, notification_id: str) -> NotificationStatus | None:
    deliveries = deliveries_of(notification_id)
    claims = raw_replies(await services.redis.mget([keys.claim(d) for d in deliveries]))
    try:
        rows = await services.figures.notification(notification_id, deliveries)
    except EngineUnavailable:
        if not any(claims):
            raise
        rows = None
    return merge(notification_id, rows, claims)
