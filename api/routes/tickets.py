"""Tickets: what opens a WebSocket without a token in its address."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Response

from api.call import Call, answer, operator, person
from api.schema import described
from api.services import Services
from tocsin.settings import Settings

router = APIRouter(tags=["live"])

SECONDS: Final = 30
_OPERATORS: Final = "audience:ops"

Person = Annotated[Call, Depends(person)]
Operator = Annotated[Services, Depends(operator)]


class Ticket(msgspec.Struct):
    """Connect to `url` within 30 s and say ``{"op":"hello","ticket":…}``. Admits once."""

    url: str
    ticket: str
    expires_in: int = SECONDS


@router.get("/v1/ws-ticket", **described(None, Ticket))
async def ws_ticket(call: Person) -> Response:
    """A ticket for the caller's own notifications."""
    return await issue(call.services, f"user:{call.identity.subject}")


@router.get("/v1/live-ticket", **described(None, Ticket, 200, ["stats:read"]))
async def live_ticket(services: Operator) -> Response:
    """A ticket for what happens right now, people masked. Open to all beside the sandbox."""
    return await issue(services, _OPERATORS)


async def issue(services: Services, grant: str) -> Response:
    """A ticket for a grant, and where to use it."""
    ticket = await services.tickets.issue(grant, SECONDS)
    found = Ticket(ws_url(services.settings), ticket)
    return answer(found, 200, **{"Cache-Control": "no-store"})


def ws_url(settings: Settings) -> str:
    """Where the sockets are."""
    return settings.ws_url or f"ws://{settings.host}:{settings.ws_port}"
