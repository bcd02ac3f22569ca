"""Named queries, the audit's report, tables and addresses."""

import json
from datetime import UTC, datetime

import pytest

from analytics.audit import ABOUT, DRIFT, Example, Finding, Report, as_json, show
from analytics.client import place
from analytics.named import DIRECTORY, names, query
from analytics.terminal import print_table
from tocsin.errors import ConfigError
from tocsin.settings import Settings

AT = datetime(2026, 11, 22, tzinfo=UTC)


def _finding(kind: str, count: int) -> Finding:
    return Finding(kind, count, AT, (Example("n:push", AT, "delivered, failed"),))


def test_only_broken_promises_are_drift() -> None:
    assert Report((), (_finding("in_flight", 5), _finding("unrouted", 2))).drift == 0
    assert Report((), (_finding("conflict", 1), _finding("lost_delivery", 2))).drift == 3
    assert set(ABOUT) >= DRIFT


def test_the_report_as_json_names_the_ids() -> None:
    told = json.loads(as_json(Report(({"type": "T"},), (_finding("phantom", 1),))))
    assert told["drift"] == 1
    assert told["in_flight"] == told["unrouted"] == 0
    assert told["findings"][0]["first"][0]["id"] == "n:push"


def test_the_report_as_tables_names_the_ids(capsys: pytest.CaptureFixture[str]) -> None:
    book = {"type": "SALE_OFFER", "channel": "push", "accepted": 1_234}
    show(Report((book,), (_finding("conflict", 1),)), AT)
    said = capsys.readouterr().out
    assert all(part in said for part in ("1,234", "n:push", "DRIFT: 1", ABOUT["conflict"]))


def test_dead_requests_have_a_line_of_their_own_and_are_no_drift(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = Report((), (_finding("dead", 2), _finding("in_flight", 1)))
    told = json.loads(as_json(report))
    assert (told["dead"], told["drift"], told["unrouted"]) == (2, 0, 0)
    show(report, AT)
    said = capsys.readouterr().out
    assert all(part in said for part in ("dead: the oldest 1", "n:push", "no drift"))
    assert "in_flight: " not in said


def test_a_table_in_a_pipe_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", ("id", "at", "none", "flag"), [("x" * 300, AT, None, True)])
    said = capsys.readouterr().out
    assert "x" * 300 in said
    assert "2026-11-22 00:00:00.000" in said
    assert "True" in said


def test_queries_are_loaded_by_name() -> None:
    assert set(names()) == {path.stem for path in DIRECTORY.glob("*.sql")}
    assert all(query(name).startswith("SELECT") and ";" not in query(name) for name in names())
    with pytest.raises(KeyError):
        query("../migrations/0001_tables")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("clickhouse://u:p%40w@h:9000/db", ("h", 9000, "u", "p@w", "db", False)),
        ("clickhouse://127.0.0.1", ("127.0.0.1", 8123, "default", "", "tocsin", False)),
        ("clickhouses://u:p@h/", ("h", 8443, "u", "p", "tocsin", True)),
    ],
)
def test_an_address_is_taken_apart(url: str, expected: tuple[object, ...]) -> None:
    assert place(Settings(clickhouse_url=url)) == expected


@pytest.mark.parametrize("url", ["http://h", "clickhouse://", "clickhouse://h:x/", "nonsense"])
def test_a_wrong_address_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(ConfigError, match="TOCSIN_CLICKHOUSE_URL"):
        place(Settings(clickhouse_url=url))


@pytest.mark.parametrize(
    ("host", "near"), [("127.0.0.1", True), ("localhost", True), ("db", False)]
)
def test_compression_is_for_the_network(host: str, near: bool) -> None:
    assert place(Settings(clickhouse_url=f"clickhouse://{host}/")).near is near
