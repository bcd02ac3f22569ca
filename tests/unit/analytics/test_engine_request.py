"""One HTTP request to ClickHouse, taken apart."""

import base64
import gzip
import re
from collections.abc import Mapping

import pytest

from analytics.engine.encoding import decoded, encoded
from analytics.engine.problem import Problem
from analytics.engine.request import Request, take_apart


def taken(
    fields: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    method: str = "POST",
) -> Request:
    return take_apart(method, (fields or {}).items(), headers or {}, body)


def test_parameters_settings_and_transport_words_are_told_apart() -> None:
    request = taken(
        {
            "query": "SELECT {x:Int8}", "param_x": "1", "database": "tocsin", "max_threads": "2",
            "wait_end_of_query": "1", "session_id": "s", "query_id": "q", "default_format": "JSON",
        }
    )  # fmt: skip
    assert request.parameters == {"x": "1"}
    assert request.settings == {"max_threads": "2"}
    assert (request.database, request.query_id, request.format) == ("tocsin", "q", "JSON")


@pytest.mark.parametrize(
    ("query", "body", "sql"),
    [
        ("SELECT 1", b"", b"SELECT 1"),
        ("", b"SELECT 2", b"SELECT 2"),
        ("SELECT *", b"FROM t", b"SELECT *\nFROM t"),
    ],
)
def test_a_query_may_come_in_the_url_the_body_or_both(query: str, body: bytes, sql: bytes) -> None:
    assert taken({"query": query}, body=body).sql == sql


def test_a_get_changes_nothing() -> None:
    assert taken(method="GET").changes_nothing
    assert not taken(method="POST").changes_nothing


def _basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"user": "u", "password": "p:w"}, {}),
        ({}, {"X-ClickHouse-User": "u", "X-ClickHouse-Key": "p:w"}),
        ({}, _basic("u:p:w")),
    ],
)
def test_credentials_come_in_three_ways(fields: dict[str, str], headers: dict[str, str]) -> None:
    request = taken(fields, headers)
    assert (request.user, request.password) == ("u", "p:w")


def test_without_credentials_one_is_default() -> None:
    assert (taken().user, taken().password) == ("default", "")


def test_broken_credentials_are_refused() -> None:
    with pytest.raises(Problem, match="AUTHENTICATION_FAILED"):
        taken(headers={"Authorization": "Basic ???"})


def test_clickhouses_own_framing_is_declined_by_name() -> None:
    with pytest.raises(Problem, match="enable_http_compression"):
        taken({"compress": "1"})


def test_compression_is_only_used_where_it_is_switched_on() -> None:
    offers = {"Accept-Encoding": "zstd, gzip"}
    assert taken({}, offers).accepts == ""
    assert taken({"enable_http_compression": "1"}, offers).accepts == "zstd, gzip"


@pytest.mark.parametrize("coding", ["lz4", "zstd", "gzip", "deflate"])
def test_every_coding_gives_back_what_went_in(coding: str) -> None:
    body = b"delivered\n" * 1000
    packed, used = encoded(body, f"br;q=1.0, {coding}, identity")
    assert used == coding
    assert len(packed) < len(body)
    assert decoded(packed, coding) == body


def test_little_is_not_worth_compressing() -> None:
    assert encoded(b"1\n", "gzip") == (b"1\n", "")


@pytest.mark.parametrize(
    ("body", "coding"), [(b"x", "br"), (b"x", "gzip"), (b"x", "zstd"), (b"x", "lz4")]
)
def test_what_cannot_be_decoded_is_a_problem(body: bytes, coding: str) -> None:
    with pytest.raises(Problem, match=coding):
        decoded(body, coding)


def test_a_plain_body_is_left_alone() -> None:
    assert decoded(gzip.compress(b"x"), "")[:2] == b"\x1f\x8b"


@pytest.mark.parametrize(
    ("text", "code", "name", "status"),
    [
        ("Code: 60. DB::Exception: No table t. (UNKNOWN_TABLE)", 60, "UNKNOWN_TABLE", 404),
        ("Streaming insert finish failed: Code: 27. DB::Exception: x. (CANNOT_PARSE) (version 1.2)",
         27, "CANNOT_PARSE", 400),
        ("Code: 241. DB::Exception: Memory limit (MEMORY_LIMIT_EXCEEDED)", 241, "MEMORY", 500),
        ("something else", 1001, "STD_EXCEPTION", 500),
    ],
)  # fmt: skip
def test_chdbs_errors_are_told_as_clickhouse_tells_them(
    text: str, code: int, name: str, status: int
) -> None:
    problem = Problem.of(RuntimeError(text))
    assert (problem.code, problem.status) == (code, status)
    assert re.match(rf"Code: {code}\. DB::Exception: ", str(problem))
    assert name in str(problem)
