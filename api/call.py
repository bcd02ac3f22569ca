"""One request as the routes see it: the services, who is calling, the body within its bound."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from fastapi import Request, Response

from api.auth import require_person, require_self_or, require_service
from api.services import Services
from tocsin.errors import Refused
from tocsin.records import decode, encode
from tocsin.tokens import Identity
from tocsin.topics import MAX_RECORD_BYTES

T = TypeVar("T")

BODY_SECONDS: Final = 30.0
"""Whoever takes longer to send a body is let go, so that nobody can hold a place for ever."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a route needs, and nothing about how it came."""

    request: Request
    services: Services
    identity: Identity

    async def raw(self) -> bytes:
        """The body. Raises `Refused` ("too_large") while it is still arriving."""
        return await read_body(self.request)

    async def body(self, kind: type[T]) -> T:
        """The body as a record. Raises `Invalid` naming the field."""
        return decode(kind, await self.raw())

    def allow_self_or(self, user_id: str, *scopes: str) -> None:
        """Raises `Denied` unless the caller is this person or a service with one of the scopes."""
        require_self_or(self.identity, user_id, *scopes)


async def read_body(request: Request) -> bytes:
    """At most MAX_RECORD_BYTES, counted as they come: a length may be missing or a lie.

    Raises `Refused`, "too_large" or "slow_body".
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MAX_RECORD_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _arrived(request)
    except TimeoutError:
        raise Refused("slow_body", f"the body took longer than {BODY_SECONDS:.0f} s") from None


async def _arrived(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_RECORD_BYTES:
            raise _too_large()
        parts.append(part)
    return b"".join(parts)


def _too_large() -> Refused:
    return Refused("too_large", f"a body may have {MAX_RECORD_BYTES:,} bytes; send it in parts")


Gate = Callable[[Request], Awaitable[Call]]


def services_of(request: Request) -> Services:
    """The process's services."""
    return cast(Services, request.app.state.services)


async def anyone(request: Request) -> Call:
    """Whoever holds a valid token; the route decides further."""
    services = services_of(request)
    identity = await services.auth.identify(request.headers.get("authorization"))
    return Call(request, services, identity)


async def person(request: Request) -> Call:
    """A user's token; the route acts on that user."""
    call = await anyone(request)
    require_person(call.identity)
    return call


async def operator(request: Request) -> Services:
    """A service that may read statistics. Beside the sandbox nobody real is to be seen, and the
    page at `/` is for whoever looks."""
    services = services_of(request)
    if not services.settings.sandbox_url:
        require_service((await anyone(request)).identity, "stats:read")
    return services


def service(*scopes: str) -> Gate:
    """A service with one of the scopes."""

    async def gate(request: Request) -> Call:
        call = await anyone(request)
        require_service(call.identity, *scopes)
        return call

    return gate


def self_or(*scopes: str) -> Gate:
    """The user of the path, or a service with one of the scopes."""

    async def gate(request: Request) -> Call:
        call = await anyone(request)
        call.allow_self_or(request.path_params["user_id"], *scopes)
        return call

    return gate


def answer(record: Any, status: int = 200, **headers: str) -> Response:
    """A record as JSON."""
    return Response(encode(record), status, headers=headers or None, media_type="application/json")
