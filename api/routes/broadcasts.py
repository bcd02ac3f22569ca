"""Broadcasts: one message to many people, how far it has come, and taking it back."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from api.bodies import BroadcastBody
from api.broadcasts import AcceptedBroadcast
from api.call import Call, answer, service
from api.idempotent import HEADER, key_of
from api.schema import described
from tocsin.store.broadcasts import Progress

router = APIRouter(tags=["broadcasts"])

_WRITE: Final = ["broadcasts:write"]
_READ: Final = ["broadcasts:read"]
Writer = Annotated[Call, Depends(service(*_WRITE))]
Reader = Annotated[Call, Depends(service(*_READ, *_WRITE))]


@router.post("/v1/broadcasts", **described(BroadcastBody, AcceptedBroadcast, 202, _WRITE, [HEADER]))
async def send_broadcast(call: Writer) -> Response:
    """Tell everybody of an audience one thing: those who follow a `topic`, those in a `segment`
    (no match: all people), or the `admins`; with `connected`, those of them who have a socket open
    when their turn comes. 202 means that it is kept, whatever fails from now on.
    """
    raw = await call.raw()
    key = key_of(call.request, call.services.idempotency, call.identity.subject, raw)
    return answer(await call.services.broadcasts.accept(raw, key), 202)


@router.get("/v1/broadcasts/{broadcast_id}", **described(None, Progress, 200, _READ))
async def read_broadcast(broadcast_id: str, call: Reader) -> Response:
    """How far a broadcast has come, for 30 days after its last page."""
    return answer(await call.services.broadcasts.progress(broadcast_id))


@router.delete("/v1/broadcasts/{broadcast_id}", **described(None, Progress, 200, _WRITE))
async def cancel_broadcast(broadcast_id: str, call: Writer) -> Response:
    """Take a broadcast back: nobody further is told, and what waits or is retried is not sent. What
    was sent stays sent; the answer says how far it had come."""
    return answer(await call.services.broadcasts.cancel(broadcast_id, call.identity.subject))
