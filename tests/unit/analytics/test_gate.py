"""Who may do what on the embedded engine."""

import pytest

from analytics.client import Place
from analytics.engine.gate import Role, admit, check, check_settings
from analytics.engine.problem import Problem

WRITER = Place("127.0.0.1", 8123, "tocsin", "secret", "tocsin", False)


def test_the_writers_password_makes_a_writer() -> None:
    assert admit("tocsin", "secret", WRITER) is Role.WRITER


@pytest.mark.parametrize("user", ["default", "analyst"])
def test_whoever_brings_no_password_reads(user: str) -> None:
    assert admit(user, "", WRITER) is Role.READER


@pytest.mark.parametrize(
    ("user", "password"),
    [("tocsin", ""), ("tocsin", "guess"), ("analyst", "secret"), ("root", ""), ("default", "x")],
)
def test_a_wrong_password_or_an_unknown_user_is_refused(user: str, password: str) -> None:
    with pytest.raises(Problem) as refused:
        admit(user, password, WRITER)
    assert (refused.value.code, refused.value.status) == (516, 403)


def test_without_a_password_in_the_setting_its_user_writes() -> None:
    assert admit("default", "", WRITER._replace(user="default", password="")) is Role.WRITER


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)", "DROP TABLE t", "SET max_threads = 1", "KILL QUERY WHERE 1",
        "USE system", "SYSTEM FLUSH LOGS", "",
        "SELECT file('/etc/passwd')", "SELECT `file`('/etc/passwd')", 'SELECT "FILE"(x)',
        "SELECT * APPLY(file) FROM (SELECT '/etc/passwd')", "SELECT arrayMap(file, ['/x'])",
        "SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT 1 INTO/**/OUTFILE '/tmp/x'",
        "SELECT “a'b”, file('/etc/passwd'), '1'", "SELECT “file”('/etc/passwd')",
        "DESCRIBE url('http://127.0.0.1/x')", "DESC TABLE FUNCTION s3('x')", "DESCRIBE a.b(1)",
        "SELECT aiGenerate('x', map('url', 'http://127.0.0.1'))",
    ],
)  # fmt: skip
def test_a_reader_is_refused(sql: str) -> None:
    with pytest.raises(Problem) as refused:
        check(sql.encode(), Role.READER)
    assert refused.value.code == 164


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'file', 1 -- into outfile", "WITH 1 AS x SELECT x", "SHOW TABLES", "EXISTS TABLE t",
        "DESCRIBE TABLE tocsin.deliveries", "DESC (SELECT 1)", "EXPLAIN SELECT 1", "(SELECT 1)",
        "SELECT profile, filed FROM t", "SELECT 'don’t'",
    ],
)  # fmt: skip
def test_a_reader_may_ask(sql: str) -> None:
    check(sql.encode(), Role.READER)


def test_nobody_sends_two_statements_at_once() -> None:
    with pytest.raises(Problem) as refused:
        check(b"SELECT 1; SELECT 2", Role.WRITER)
    assert (refused.value.code, refused.value.status) == (62, 400)


@pytest.mark.parametrize("name", ["max_execution_time", "output_format_json_quote_64bit_integers"])
def test_a_reader_may_set_limits_and_looks(name: str) -> None:
    check_settings({name: "1", "readonly": "2"}, Role.READER)


@pytest.mark.parametrize(
    "name", ["readonly", "format_template_resultset", "output_format_schema", "allow_ddl", "a; b"]
)
def test_a_reader_may_set_nothing_that_names_a_path_or_a_right(name: str) -> None:
    with pytest.raises(Problem, match="Cannot modify"):
        check_settings({name: "0"}, Role.READER)


def test_the_writer_sets_what_it_likes() -> None:
    check_settings({"insert_deduplication_token": "x"}, Role.WRITER)
