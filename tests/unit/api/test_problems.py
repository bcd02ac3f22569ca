"""Errors as problem details: the right place, the right status, nothing of ours leaked."""

import pytest
from fastapi import FastAPI

from api import problems
from tests.unit.api.asgi import Client
from tocsin.errors import EngineUnavailable, Invalid, Refused, TocsinError


@pytest.mark.parametrize(
    ("field", "pointer"),
    [
        ("", "#"),
        ("user_id", "#/user_id"),
        ("requests[3].user_id", "#/requests/3/user_id"),
        ("[0].x", "#/0/x"),
        ("a/b~c", "#/a~1b~0c"),
        ("devices[...].token", "#/devices"),
        ("users[2].devices[...]", "#/users/2/devices"),
    ],
)
def test_a_field_becomes_a_json_pointer(field: str, pointer: str) -> None:
    assert problems.field_error(Invalid(field, "why")).pointer == pointer


def test_a_place_without_a_name_is_told_in_words() -> None:
    found = problems.field_error(Invalid("devices[...].token", "too short"))
    assert found.detail == "in one of its values, token: too short"


def failing(error: Exception) -> Client:
    app = FastAPI()
    problems.install(app)

    @app.get("/x")
    async def fail() -> None:
        raise error

    return Client(app)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Invalid("a", "wrong"), 422, "invalid"),
        (Refused("not_found", "no"), 404, "not_found"),
        (Refused("otp_locked", "no"), 423, "otp_locked"),
        (EngineUnavailable("ClickHouse", "here", "wait"), 503, "unavailable"),
        (TimeoutError(), 503, "unavailable"),
    ],
)
async def test_each_error_has_its_status(error: Exception, status: int, code: str) -> None:
    answer = await failing(error)("GET", "/x")
    assert (answer.status, answer.code, answer.json["instance"]) == (status, code, "/x")


@pytest.mark.parametrize(("seconds", "header"), [(0.2, "1"), (1.0, "1"), (29.01, "30")])
async def test_retry_after_is_whole_seconds_and_never_early(seconds: float, header: str) -> None:
    answer = await failing(Refused("otp_cooldown", "wait", seconds))("GET", "/x")
    assert answer.headers["retry-after"] == header


async def test_addresses_and_methods_that_are_not_there() -> None:
    client = failing(TocsinError())
    assert (await client("GET", "/nowhere")).code == "not_found"
    wrong = await client("DELETE", "/x")
    assert (wrong.status, wrong.code, wrong.headers["allow"]) == (405, "method_not_allowed", "GET")


async def test_a_fault_of_ours_tells_an_incident_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = failing(ZeroDivisionError("secret"))
    answer = None
    with pytest.raises(ZeroDivisionError):  # Starlette answers, then lets the server see it, too
        answer = await client("GET", "/x")
    assert answer is None
    (record,) = [r for r in caplog.records if r.levelname == "ERROR"]
    assert "incident" in record.getMessage()


async def test_every_code_of_the_api_is_in_the_table() -> None:
    for code, (status, title) in problems.TABLE.items():
        assert 400 <= status < 600
        assert title
        assert problems.problem(code, "x", "/").type == f"urn:tocsin:problem:{code}"
