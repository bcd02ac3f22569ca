"""The lexer in front of ClickHouse's parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.engine.statement import (
    Insert,
    answers,
    first_word,
    format_of,
    insert_of,
    several,
    tokens,
)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        (b"select 1", "SELECT"),
        (b"  -- a comment\n/* and\nanother */ WITH x AS (SELECT 1) SELECT x", "WITH"),
        (b"# shell comment\ninsert into t values (1)", "INSERT"),
        (b"(SELECT 1)", "("),
        (b"", ""),
        (b" \n-- nothing", ""),
    ],
)
def test_the_first_word_is_found_behind_blanks_and_comments(sql: bytes, word: str) -> None:
    assert first_word(sql) == word


@pytest.mark.parametrize(
    ("sql", "format_name"),
    [
        (b"SELECT 1", "Given"),
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1 format JSONEachRow ;\n", "JSONEachRow"),
        (b"SELECT 1 FORMAT CSV SETTINGS max_threads = 1", "CSV"),
        (b"SELECT format FROM t", "Given"),
        (b"SELECT 'FORMAT JSON'", "Given"),
        (b"SELECT * FROM (SELECT 1 FORMAT JSON)", "Given"),
        (b"SELECT 1 -- FORMAT JSON", "Given"),
    ],
)
def test_the_format_is_that_of_the_closing_clause(sql: bytes, format_name: str) -> None:
    assert format_of(sql, "Given") == format_name


@pytest.mark.parametrize(
    ("sql", "insert"),
    [
        (b"INSERT INTO t FORMAT Native\n\x00\x01;'", (b"INSERT INTO t ", "Native", b"\x00\x01;'")),
        (b"INSERT INTO t (a) FORMAT CSV\r\n1\n2", (b"INSERT INTO t (a) ", "CSV", b"1\n2")),
        (b"INSERT INTO t FORMAT TSV", (b"INSERT INTO t ", "TSV", b"")),
        (
            b"INSERT INTO t SETTINGS a='FORMAT x' FORMAT TSV  \n\n1",
            (b"INSERT INTO t SETTINGS a='FORMAT x' ", "TSV", b"\n1"),
        ),
        (
            b"insert into `format` values (1), (2)",
            (b"insert into `format` ", "Values", b" (1), (2)"),
        ),
        (b"INSERT INTO t (values) VALUES (1)", (b"INSERT INTO t (values) ", "Values", b" (1)")),
        (b"INSERT INTO t ;\n", (b"INSERT INTO t", "Default", b"")),
    ],
)
def test_the_data_of_an_insert_begin_where_the_format_ends(
    sql: bytes, insert: tuple[bytes, str, bytes]
) -> None:
    assert insert_of(sql, "Default") == Insert(*insert)


@pytest.mark.parametrize(
    "sql", [b"SELECT 1", b"INSERT INTO t SELECT 1", b"INSERT INTO t FROM INFILE 'x'"]
)
def test_a_query_without_data_is_no_insert_of_data(sql: bytes) -> None:
    assert insert_of(sql, "Default") is None


@given(st.binary())
def test_data_are_passed_on_byte_by_byte(data: bytes) -> None:
    assert insert_of(b"INSERT INTO t FORMAT Native\n" + data, "x") == (
        b"INSERT INTO t ",
        "Native",
        data,
    )


@given(st.binary())
def test_the_lexer_covers_any_bytes_without_failing(sql: bytes) -> None:
    at = 0
    for token in tokens(sql):
        assert token.start >= at
        assert token.text == sql[token.start : token.end]
        at = token.end
    assert at <= len(sql)


@pytest.mark.parametrize(
    ("sql", "more"),
    [
        (b"SELECT 1", False),
        (b"SELECT 1;", False),
        (b"SELECT 1; -- done\n", False),
        (b"SELECT ';', 1", False),
        (b"SELECT 1; DROP TABLE t", True),
        (b"SELECT 1;;SELECT 2", True),
    ],
)
def test_a_second_statement_is_seen(sql: bytes, more: bool) -> None:
    assert several(sql) is more


def test_only_questions_have_an_answer() -> None:
    assert answers(b"SHOW TABLES")
    assert not answers(b"CREATE TABLE t (a Int8) ENGINE = Memory")
