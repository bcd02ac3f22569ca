"""The link under a mail: looking at it changes nothing, one click on it does (RFC 8058)."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.call import read_body, services_of
from api.schema import described
from api.services import Services
from api.unsubscribe import HEADERS, Muting, broken, done, event, link, question
from tocsin.errors import Refused
from tocsin.links import Unsubscribe

router = APIRouter(tags=["unsubscribe"])


@router.get("/u/{token}", response_class=HTMLResponse, **described(scopes=None))
async def unsubscribe_page(token: str, request: Request) -> Response:
    """A page with a button. Never unsubscribes: scanners of mail open every link."""
    settings = services_of(request).settings
    try:
        return _page(question(settings, link(settings, token)))
    except Refused as error:
        return _broken(request, error)


@router.post("/u/{token}", response_class=HTMLResponse, **described(scopes=None))
async def unsubscribe_now(token: str, request: Request) -> Response:
    """Unsubscribe: what a mail program posts for its reader, and what the page's button posts.

    The form says `List-Unsubscribe=One-Click`; whatever it says, it is a wish to be left alone.
    """
    services = services_of(request)
    try:
        what = link(services.settings, token)
    except Refused as error:
        return _broken(request, error)
    await read_body(request)
    if await _mute(services, what) and what.notification_id:
        await services.hits.keep(event(what, services.clock.now()))
    return _page(done(services.settings, what))


async def _mute(services: Services, what: Unsubscribe) -> bool:
    """Durable when it returns. Somebody who is not there (any more) wants nothing either: False."""
    try:
        await services.people.change(what.user_id, Muting(what))
    except Refused as error:
        if error.code != "not_found":
            raise
        return False
    return True


def _broken(request: Request, error: Refused) -> Response:
    """A page for whoever looks; raises the error for programs."""
    if "text/html" not in request.headers.get("accept", ""):
        raise error
    return _page(broken(services_of(request).settings), 404)


def _page(html: str, status: int = 200) -> Response:
    return Response(html, status, HEADERS, "text/html; charset=utf-8")
