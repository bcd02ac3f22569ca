"""The OpenAPI document: bodies and answers are msgspec records, described from their types."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE, Problem

_REF: Final = "#/components/schemas/{name}"
_BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Service tokens carry scopes; a user's token acts on that user only.",
}
_PROBLEM: Final = {
    "description": "Problem details (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}},
}

Docs = dict[str, Any]


def described(
    takes: Any = None,
    gives: Any = None,
    status: int = 200,
    scopes: Sequence[str] | None = (),
    headers: Sequence[str] = (),
    also: Sequence[int] = (),
    own: bool = False,
) -> Docs:
    """Keyword arguments for a route: its body, its answer and who may call it.

    `scopes` None is open to all; otherwise a service needs them, and with `own` a user's token will
    do for what is that user's (without scopes: nothing else will). `also` are further statuses
    with the same answer.
    """
    extra: Docs = {"x-components": _components([k for k in (takes, gives) if k is not None])}
    if takes is not None:
        extra["requestBody"] = {"required": True, "content": _json(takes)}
    if scopes is not None:
        ways = [list(scopes)] if scopes else []
        extra["security"] = [{"bearer": way} for way in (*ways, *([[]] if own or not ways else []))]
    if headers:
        extra["parameters"] = [_header(name) for name in headers]
    success: Docs = {"description": "Done"}
    if gives is not None:
        success["content"] = _json(gives)
    extra["responses"] = {str(code): success for code in (status, *also)} | {"default": _PROBLEM}
    return {"status_code": status, "openapi_extra": extra}


def _header(name: str) -> Docs:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}


def _json(kind: Any) -> Docs:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REF)
    return {"application/json": {"schema": schema}}


def _components(kinds: Sequence[Any]) -> Docs:
    return msgspec.json.schema_components(kinds, ref_template=_REF)[1]


def install(app: FastAPI) -> None:
    """Have the application describe itself from its records."""

    def openapi() -> Docs:
        if app.openapi_schema is None:
            app.openapi_schema = document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def document(app: FastAPI) -> Docs:
    """The whole document."""
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = _components([Problem])
    for path in made["paths"].values():
        for operation in path.values():
            schemas |= operation.pop("x-components", {})
            _tidy(operation["responses"])
    made["components"] = {
        "schemas": dict(sorted(schemas.items())),
        "securitySchemes": {"bearer": _BEARER},
    }
    return made


def _tidy(responses: Docs) -> None:
    """FastAPI's own description of wrong parameters: ours is a problem like any other."""
    found = responses.get("422", {})
    if "HTTPValidationError" in str(found):
        del responses["422"]
