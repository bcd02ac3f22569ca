"""Answers as JSON has them."""

import json
from datetime import UTC, datetime

import pytest

from analytics.questions import Found
from api.stats import listed, once, rows_of
from tocsin.errors import Invalid
from tocsin.records import encode


def test_instants_say_that_they_are_in_utc_and_what_is_no_number_is_null() -> None:
    columns = [("at", "DateTime64(3, 'UTC')"), ("ended", "Nullable(DateTime)"), ("rate", "Float64")]
    found = Found(columns, [(datetime(2026, 11, 24, 12), None, float("nan"))], False)
    assert json.loads(encode(rows_of(found))) == [["2026-11-24T12:00:00Z", None, None]]
    aware = Found(columns[:1], [(datetime(2026, 11, 24, tzinfo=UTC),)], False)
    assert json.loads(encode(rows_of(aware))) == [["2026-11-24T00:00:00Z"]]


def test_rows_without_instants_are_as_they_are() -> None:
    assert rows_of(Found([("n", "UInt64")], [(1,), (2,)], False)) == [[1], [2]]


def test_a_parameter_given_twice_is_named() -> None:
    assert once([("hours", "1"), ("type", "A")]) == {"hours": "1", "type": "A"}
    with pytest.raises(Invalid, match="hours: is given twice"):
        once([("hours", "1"), ("hours", "1")])


def test_the_list_has_defaults_as_they_are_written() -> None:
    found = {each.name: each for each in listed().questions}["funnel"]
    assert found.about.startswith("What became of messages")
    assert [(p.name, p.type, p.default) for p in found.parameters] == [
        ("hours", "UInt32", "24"), ("until", "DateTime64(3, 'UTC')", "now"), ("type", "String", ""),
        ("most", "UInt32", "500000"),
    ]  # fmt: skip
