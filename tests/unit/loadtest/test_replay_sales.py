"""Reading a sales file: every row or a reason, and never a stop."""

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.replay.sales import Sales, read
from tocsin.errors import Invalid

HEADER = b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
GOOD = b"536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"


def _read(tmp_path: Path, *lines: bytes, header: bytes = HEADER) -> Sales:
    path = tmp_path / "sales.csv"
    path.write_bytes(header + b"".join(lines))
    return read(path)


def _with(column: int, text: bytes) -> bytes:
    cells = GOOD.rstrip(b"\n").split(b",")
    cells[column] = text
    return b",".join(cells) + b"\n"


def test_a_row_is_read_with_its_types(tmp_path: Path) -> None:
    row = _read(tmp_path, GOOD).rows[0]
    assert (row.invoice, row.sku, row.quantity, row.country) == (
        "536365", "85123A", 6, "United Kingdom",
    )  # fmt: skip
    assert row.at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert row.price == Decimal("2.55")
    assert row.customer == "17850"
    assert row.stocked
    assert not row.returned


def test_gzip_is_told_by_content_and_has_the_same_digest(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.csv", tmp_path / "b.dat"
    plain.write_bytes(HEADER + GOOD)
    packed.write_bytes(gzip.compress(HEADER + GOOD))
    assert read(plain) == read(packed)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"536365,85123A,LANTERN,6\n", "4 columns, not 8"),
        (_with(2, b"A, B"), "9 columns, not 8"),
        (_with(3, b"six"), "Quantity: 'six' is not a whole number of at most 9 digits"),
        (_with(3, b"6.5"), "Quantity: '6.5' is not a whole number of at most 9 digits"),
        (_with(3, b""), "Quantity: empty, not a whole number of at most 9 digits"),
        (_with(3, b"99999999999"), "Quantity: '99999999999' is not a whole number of at most 9"),
        (_with(4, b"2010-13-01 08:26:00"), "InvoiceDate: '2010-13-01 08:26:00' is not a date"),
        (_with(4, b"9999-12-31 23:59:59"), "InvoiceDate: '9999-12-31 23:59:59' is not a date"),
        (_with(5, b"nan"), "UnitPrice: 'nan' is not a price such as 2.55"),
        (_with(0, b""), "InvoiceNo: empty, not 1 to 64 printable characters"),
        (_with(1, b"   "), "StockCode: empty, not 1 to 64 printable characters"),
        (_with(1, b"8\x00"), r"StockCode: '8\x00' is not 1 to 64 printable characters"),
        (_with(6, b"a b"), "CustomerID: 'a b' is not letters, digits"),
        (_with(2, b"CAF\xc9"), "not UTF-8: byte 0xc9 at 18"),
        (_with(2, b'"CAF\xc9"'), "not UTF-8: byte 0xc9 at 19"),
        (_with(2, b'"LANTERN'), "not CSV: unexpected end of data"),
        (_with(2, b'"LAN"TERN'), "not CSV: ',' expected after '\"'"),
    ],
)
def test_a_bad_row_is_named_and_the_next_is_read(tmp_path: Path, line: bytes, reason: str) -> None:
    sales = _read(tmp_path, GOOD, line, GOOD)
    assert len(sales.rows) == 2
    assert [bad.line for bad in sales.bad] == [3]
    assert sales.bad[0].reason.startswith(reason)


def test_a_long_wrong_value_is_cut_in_the_reason(tmp_path: Path) -> None:
    (bad,) = _read(tmp_path, _with(3, b"x" * 10_000)).bad
    assert len(bad.reason) < 120


def test_an_open_quote_spoils_one_line_and_not_the_rest(tmp_path: Path) -> None:
    lines = [GOOD] * 50
    lines[10] = _with(2, b'"12 INCH RULER')
    lines[30] = _with(2, b'"RULER')
    sales = _read(tmp_path, *lines)
    assert [bad.line for bad in sales.bad] == [12, 32]
    assert len(sales.rows) == 48


def test_a_quoted_field_may_span_lines(tmp_path: Path) -> None:
    sales = _read(tmp_path, _with(2, b'"TWO\nLINES, ""QUOTED"""'), b"\n", _with(3, b"x"))
    assert (len(sales.rows), [bad.line for bad in sales.bad]) == (1, [5])


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    names = b"Country,InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID"
    header = b"\xef\xbb\xbf" + names + b"\r\n"
    line = b"France,1,2,X,3,12/1/2010 8:26,1.5,\r\n"
    row = _read(tmp_path, line, header=header).rows[0]
    assert (row.country, row.invoice, row.customer) == ("France", "1", None)
    assert row.at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def test_a_time_with_an_offset_becomes_utc(tmp_path: Path) -> None:
    row = _read(tmp_path, _with(4, b"2010-12-01T08:26:00+02:00")).rows[0]
    assert row.at == datetime(2010, 12, 1, 6, 26, tzinfo=UTC)


def test_services_and_returns_are_told_by_their_first_letter(tmp_path: Path) -> None:
    rows = _read(tmp_path, _with(1, b"POST"), _with(0, b"C536379")).rows
    assert [row.stocked for row in rows] == [False, True]
    assert [row.returned for row in rows] == [False, True]


def test_limit_counts_readable_rows(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(HEADER + GOOD + _with(3, b"x") + GOOD + GOOD + _with(3, b"y"))
    sales = read(path, limit=2)
    assert (len(sales.rows), len(sales.bad)) == (2, 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the first line lacks InvoiceNo, StockCode"),
        (b"a,b\n1,2\n", "the first line lacks InvoiceNo"),
        (HEADER.strip() + b",Extra\n", "9 columns, not 8"),
        (gzip.compress(HEADER * 99)[:-12], "not a whole gzip file"),
        (b"\x1f\x8b garbage", "not a whole gzip file"),
    ],
)
def test_a_file_that_is_not_a_sales_file_is_refused_in_one_line(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=reason) as error:
        read(path)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_directory_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(Invalid, match="cannot be read"):
        read(tmp_path)


@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_after_the_header_give_rows_or_reasons(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("any") / "sales.csv"
    path.write_bytes(HEADER + b"\n".join([*lines, GOOD]))
    sales = read(path)
    numbers = [bad.line for bad in sales.bad]
    assert numbers == sorted(set(numbers))
    assert len(sales.rows) <= len(lines) + 1
