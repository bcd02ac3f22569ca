"""Every error as RFC 9457 problem details: one shape, one table, one place.

`type` is ``urn:tocsin:problem:<code>`` with a code that never changes; `errors` points into the
body by JSON Pointer (RFC 6901, as a URI fragment).
"""

import logging
import re
from typing import Any, Final, cast

import msgspec
from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tocsin.errors import EngineUnavailable, Invalid, Refused
from tocsin.ids import new_id

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
AWAY_SECONDS: Final = 1.0
"""Retry-After when an engine is away."""

TABLE: Final = {
    "bad_request": (400, "The request cannot be read"),
    "unauthorized": (401, "Who are you?"),
    "forbidden": (403, "Not allowed"),
    "not_found": (404, "No such thing"),
    "method_not_allowed": (405, "Not that way"),
    "slow_body": (408, "The request came too slowly"),
    "busy": (409, "Changed by others at this moment"),
    "conflict": (409, "It exists, and differs"),
    "too_late": (409, "Too late"),
    "sold_out": (409, "Sold out"),
    "otp_exhausted": (410, "Too many wrong codes"),
    "link_expired": (410, "This link is too old"),
    "too_large": (413, "Too large"),
    "invalid": (422, "The request is wrong"),
    "idempotency_mismatch": (422, "The Idempotency-Key was used for another request"),
    "otp_wrong": (422, "Not the code"),
    "otp_locked": (423, "Locked"),
    "otp_cooldown": (429, "Too soon"),
    "otp_sends": (429, "Too many codes"),
    "too_many": (429, "Too many requests"),
    "internal": (500, "A fault of ours"),
    "unavailable": (503, "Something needed for this is away"),
}
"""Every code: its status and title."""

_BY_STATUS = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_PART = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one place of the body."""

    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457. `incident` is what the logs know a fault of ours by."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldError] = []
    incident: str | None = None


def problem(code: str, detail: str, instance: str, **more: Any) -> Problem:
    """The problem of a code in TABLE."""
    status, title = TABLE[code]
    return Problem(f"urn:tocsin:problem:{code}", title, status, detail, instance, **more)


def field_error(error: Invalid) -> FieldError:
    """``requests[3].user_id`` as ``#/requests/3/user_id``.

    A place inside a free mapping has no name in `field` (``devices[...].token``): the pointer ends
    at the mapping, and the rest goes before the reason.
    """
    path, hole, rest = error.field.partition("[...]")
    parts = [index or name for index, name in _PART.findall(path)]
    pointer = "#" + "".join("/" + p.replace("~", "~0").replace("/", "~1") for p in parts)
    inside = f"in one of its values{', ' + rest.lstrip('.') if rest else ''}: " if hole else ""
    return FieldError(pointer, inside + error.reason)


def respond(found: Problem, headers: dict[str, str] | None = None) -> Response:
    """The problem on its way."""
    body = msgspec.json.encode(found)
    return Response(body, found.status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every exception with a problem."""
    handlers: dict[Any, Any] = {
        Invalid: _invalid,
        Refused: _refused,
        HTTPException: _http,
        RequestValidationError: _parameters,
        ClientDisconnect: _gone,
        Exception: _fault,
    }
    handlers |= dict.fromkeys((EngineUnavailable, RedisError, KafkaError, TimeoutError), _away)
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _invalid(request: Request, error: Invalid) -> Response:
    errors = getattr(error, "errors", None) or [field_error(error)]
    return respond(problem("invalid", str(error), request.url.path, errors=errors))


async def _refused(request: Request, error: Refused) -> Response:
    headers = dict(cast(dict[str, str], getattr(error, "headers", {})))
    if error.retry_after is not None:
        # whole seconds, and never too early
        headers["Retry-After"] = str(-int(-error.retry_after // 1))
    return respond(problem(error.code, error.reason, request.url.path), headers)


async def _http(request: Request, error: HTTPException) -> Response:
    code = _BY_STATUS.get(error.status_code, "bad_request")
    return respond(problem(code, str(error.detail), request.url.path), dict(error.headers or {}))


async def _parameters(request: Request, error: RequestValidationError) -> Response:
    errors = [
        FieldError("#", f"{place[0]} parameter `{place[-1]}`: {found['msg']}")
        for found in error.errors()
        if (place := found["loc"])
    ]
    detail = errors[0].detail if errors else "a parameter is wrong"
    return respond(problem("invalid", detail, request.url.path, errors=errors))


async def _away(request: Request, error: Exception) -> Response:
    log.warning("%s %s: %s: %s", request.method, request.url.path, type(error).__name__, error)
    detail = str(error) if isinstance(error, EngineUnavailable) else _which(error)
    headers = {"Retry-After": str(int(AWAY_SECONDS))}
    return respond(problem("unavailable", detail, request.url.path), headers)


def _which(error: Exception) -> str:
    """No addresses or internals for the caller; the log has them."""
    engine = "the operational store" if isinstance(error, RedisError) else "Kafka"
    return f"{engine} does not answer; nothing is certain to have happened, so ask again"


async def _gone(request: Request, error: ClientDisconnect) -> Response:
    return respond(problem("bad_request", "the body ended early", request.url.path))


async def _fault(request: Request, error: Exception) -> Response:
    incident = new_id()
    about = {"incident": incident}
    log.error(
        "incident %s: %s %s", incident, request.method, request.url.path, exc_info=error,
        extra=about,
    )  # fmt: skip
    detail = f"it is in our logs as incident {incident}"
    return respond(problem("internal", detail, request.url.path, incident=incident))
