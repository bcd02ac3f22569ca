"""Pages of other origins: who may call, and what they may read of the answer."""

from typing import cast

import pytest

from api.app import create_app
from api.auth import Auth
from api.services import Services
from tests.unit.api.asgi import Client
from tocsin.settings import Settings

SHOP = "https://shop.example"
SETTINGS = Settings(
    origins=f"{SHOP}, https://blog.example:8443",
    jwt_secret="test-jwt-secret-0123456789abcdef0123456789",
)


class Bare:
    """As much of the services as a request without token needs."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.auth = settings, Auth(settings)


def client(settings: Settings = SETTINGS) -> Client:
    return Client(create_app(cast(Services, Bare(settings))))


@pytest.mark.parametrize("origin", [SHOP, "https://blog.example:8443"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_preflight_of_a_page_that_may(origin: str, method: str) -> None:
    answer = await client()(
        "OPTIONS", "/v1/inbox", origin=origin, access_control_request_method=method,
        access_control_request_headers="authorization,content-type,idempotency-key",
    )  # fmt: skip
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert method in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert all(h in allowed for h in ("authorization", "content-type", "idempotency-key"))
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://shop.example", f"{SHOP}.evil.example", "null",
     "https://blog.example"],
)  # fmt: skip
async def test_a_foreign_page_is_told_nothing(origin: str) -> None:
    preflight = await client()(
        "OPTIONS", "/v1/inbox", origin=origin, access_control_request_method="GET"
    )
    assert preflight.status == 400
    simple = await client()("GET", "/v1/inbox", origin=origin)
    for answer in (preflight, simple):
        assert "access-control-allow-origin" not in answer.headers


async def test_an_error_can_be_read_by_the_page_that_caused_it() -> None:
    for path, code in (("/v1/inbox", "unauthorized"), ("/nowhere", "not_found")):
        answer = await client()("GET", path, origin=SHOP)
        assert answer.code == code
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert answer.headers["access-control-expose-headers"] == "Retry-After"
        assert answer.headers["vary"] == "Origin"


async def test_a_fault_of_ours_can_be_read_too() -> None:
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    app = create_app(cast(Services, Bare(SETTINGS)))

    @app.get("/breaks")
    async def breaks() -> None:
        raise ZeroDivisionError

    scope = {
        "type": "http", "method": "GET", "path": "/breaks", "raw_path": b"/breaks",
        "root_path": "", "query_string": b"", "headers": [(b"origin", SHOP.encode())],
        "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    with pytest.raises(ZeroDivisionError):  # Starlette answers, then lets the server see it, too
        await app(scope, None, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 500
    assert (b"access-control-allow-origin", SHOP.encode()) in cast(list[object], sent[0]["headers"])


async def test_without_origins_nothing_is_allowed_and_nothing_is_said() -> None:
    bare = client(SETTINGS.model_copy(update={"origins": ""}))
    answer = await bare("GET", "/v1/inbox", origin=SHOP)
    assert answer.code == "unauthorized"
    assert not [h for h in answer.headers if h.startswith("access-control")]
