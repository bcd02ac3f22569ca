"""The links in messages: a click goes on to where it leads, a picture tells of an open."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.call import services_of
from api.clicks import GIF, HEADERS, event, followed
from api.schema import described
from api.unsubscribe import HEADERS as PAGE_HEADERS
from api.unsubscribe import broken, expired
from tocsin.errors import Refused
from tocsin.links import Purpose
from tocsin.links.seals import not_ours
from tocsin.links.target import location

router = APIRouter(tags=["links"])

_PICTURE: Final = HEADERS | {
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/c/{token}", **described(scopes=None, status=302))
async def follow_link(token: str, request: Request) -> Response:
    """On to where the link leads: an address that was sealed into it, and no other."""
    services = services_of(request)
    now = services.clock.now()
    try:
        _require_spelling(request, token)
        found = followed(services.seals, services.public_url, token, now)
    except Refused as error:
        return _refused(request, error)
    await services.hits.keep(
        event(
            "click", found.link, token, request.method, request.headers, now, found.target,
            found.trap,
        )
    )  # fmt: skip
    return Response(status_code=302, headers=HEADERS | {"Location": location(found.target)})


@router.head("/c/{token}", **described(scopes=None, status=302))
async def look_at_link(token: str, request: Request) -> Response:
    """The same without following it: a program looks."""
    return await follow_link(token, request)


@router.get("/o/{token}.gif", **described(scopes=None))
async def load_picture(token: str, request: Request) -> Response:
    """A transparent dot: the mail it is in was opened."""
    await _opened(token, request)
    return Response(GIF, headers=_PICTURE, media_type="image/gif")


@router.head("/o/{token}.gif", **described(scopes=None))
async def look_at_picture(token: str, request: Request) -> Response:
    """The same without the dot: a program looks."""
    await _opened(token, request)
    headers = _PICTURE | {"Content-Length": str(len(GIF))}
    return Response(headers=headers, media_type="image/gif")


async def _opened(token: str, request: Request) -> None:
    services = services_of(request)
    now = services.clock.now()
    _require_spelling(request, f"{token}.gif")
    link = services.seals.open(Purpose.OPEN, token, now)
    await services.hits.keep(event("open", link, token, request.method, request.headers, now))


def _require_spelling(request: Request, last: str) -> None:
    """Raises `Refused` for a token that was percent-encoded on its way: a path has many spellings,
    ours has one."""
    path = request.scope.get("raw_path") or b""
    if path and not path.endswith(b"/" + last.encode()):
        raise not_ours()


def _refused(request: Request, error: Refused) -> Response:
    """A page for whoever looks; raises the error for programs."""
    if "text/html" not in request.headers.get("accept", ""):
        raise error
    settings = services_of(request).settings
    gone = error.code == "link_expired"
    html = expired(settings) if gone else broken(settings)
    return Response(html, 410 if gone else 404, PAGE_HEADERS, "text/html; charset=utf-8")
