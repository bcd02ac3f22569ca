"""A sales file as rows. What cannot be read is set aside with its line number and the reason."""

import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from tocsin.errors import Invalid

COLUMNS: Final = (
    "InvoiceNo", "StockCode", "Description", "Quantity",
    "InvoiceDate", "UnitPrice", "CustomerID", "Country",
)  # fmt: skip
_LONGEST_RECORD = 8
"""Lines a quoted field may span. An unclosed quote spoils one line, not the rest of the file."""
_GZIP = b"\x1f\x8b"
_WHOLE = re.compile(r"[+-]?\d{1,9}(\.0*)?", re.ASCII)
_MONEY = re.compile(r"[+-]?\d{1,9}(\.\d{1,6})?", re.ASCII)
_CUSTOMER = re.compile(r"[A-Za-z0-9_.:@-]{1,64}")
_SLASHED = "%m/%d/%Y %H:%M"


class Row(msgspec.Struct, frozen=True, gc=False):
    """One line of an invoice. `customer` is None for an anonymous sale; `at` is UTC."""

    invoice: str
    sku: str
    quantity: int
    at: datetime
    price: Decimal
    customer: str | None
    country: str

    @property
    def returned(self) -> bool:
        """Whether the invoice takes goods back."""
        return self.invoice.startswith("C")

    @property
    def stocked(self) -> bool:
        """Whether this is a thing on a shelf, not a service (postage, a discount)."""
        return "0" <= self.sku[0] <= "9"


class BadRow(msgspec.Struct, frozen=True):
    """A row that was skipped. `line` is the file's line number, the header being 1."""

    line: int
    reason: str


class Sales(msgspec.Struct, frozen=True):
    """A file's rows in its own order. `digest` is the same for the same bytes, packed or not."""

    rows: list[Row]
    bad: list[BadRow]
    digest: str


def read(path: Path, limit: int | None = None) -> Sales:
    """The file's rows, or its first `limit` readable ones. Plain or gzip, told by content.

    Raises `Invalid` when there is no such file, it cannot be unpacked, or it has no sales header.
    """
    data = _contents(path)
    lines = data.splitlines()
    order = _header(path, lines)
    rows: list[Row] = []
    bad: list[BadRow] = []
    for line, found in _records(lines, len(order)):
        if limit is not None and len(rows) >= limit:
            break
        try:
            rows.append(_row(_cells(found, len(order)), order))
        except Invalid as error:
            bad.append(BadRow(line, str(error)))
    return Sales(rows, bad, hashlib.blake2b(data, digest_size=8).hexdigest())


def _contents(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(_GZIP) else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Invalid(str(path), f"not a whole gzip file: {error}") from None
    except OSError as error:
        raise Invalid(str(path), f"cannot be read: {error.strerror or error}") from None


def _header(path: Path, lines: Sequence[bytes]) -> list[int]:
    """Where each of COLUMNS stands. Raises `Invalid` naming what is missing."""
    first = lines[0].decode("utf-8-sig", "replace") if lines else ""
    names = [name.strip() for name in next(csv.reader([first]), [])]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise Invalid(str(path), f"not a sales file: the first line lacks {', '.join(missing)}")
    if len(names) != len(COLUMNS):
        raise Invalid(str(path), f"not a sales file: {len(names)} columns, not {len(COLUMNS)}")
    return [names.index(column) for column in COLUMNS]


def _records(lines: Sequence[bytes], width: int) -> Iterator[tuple[int, list[str] | Invalid]]:
    """(line number, cells or why there are none) of each record after the header."""
    at = 1
    while at < len(lines):
        used = 1
        line = lines[at]
        if line and not line.isspace():
            found, used = _record(lines, at, width) if b'"' in line else (_plain(line), 1)
            yield at + 1, found
        at += used


def _plain(line: bytes) -> list[str] | Invalid:
    try:
        return line.decode().split(",")
    except UnicodeDecodeError as error:
        return _not_utf8(line, error)


def _record(lines: Sequence[bytes], at: int, width: int) -> tuple[list[str] | Invalid, int]:
    """The record that starts at `at`, quotes honoured, and how many lines it takes."""
    found = _quoted(lines[at : at + 1])
    for used in range(2, _LONGEST_RECORD + 1):
        if not isinstance(found, Invalid):
            break
        longer = _quoted(lines[at : at + used])
        if not isinstance(longer, Invalid) and len(longer) == width:
            return longer, used
    return found, 1


def _quoted(lines: Sequence[bytes]) -> list[str] | Invalid:
    line = b"\n".join(lines)
    try:
        return next(csv.reader([line.decode()], strict=True))
    except UnicodeDecodeError as error:
        return _not_utf8(line, error)
    except csv.Error as error:
        return Invalid("", f"not CSV: {error}")


def _not_utf8(line: bytes, error: UnicodeDecodeError) -> Invalid:
    return Invalid("", f"not UTF-8: byte 0x{line[error.start]:02x} at {error.start + 1}")


def _cells(found: list[str] | Invalid, width: int) -> list[str]:
    if isinstance(found, Invalid):
        raise found
    if len(found) != width:
        raise Invalid("", f"{len(found)} columns, not {width}")
    return found


def _row(cells: list[str], order: list[int]) -> Row:
    invoice, sku, _, quantity, at, price, customer, country = [cells[i].strip() for i in order]
    return Row(
        invoice=_named("InvoiceNo", invoice),
        sku=_named("StockCode", sku),
        quantity=_quantity(quantity),
        at=_instant(at),
        price=_price(price),
        customer=_customer(customer),
        country=_known(country),
    )


def _bad(column: str, text: str, expected: str) -> Invalid:
    shown = repr(text[:40] + "…" if len(text) > 40 else text)
    return Invalid(column, f"{shown} is not {expected}" if text else f"empty, not {expected}")


@lru_cache(maxsize=65_536)
def _named(column: str, text: str) -> str:
    if not text or len(text) > 64 or not text.isprintable():
        raise _bad(column, text, "1 to 64 printable characters")
    return text


@lru_cache(maxsize=4_096)
def _quantity(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise _bad("Quantity", text, "a whole number of at most 9 digits")
    return int(text.partition(".")[0])


@lru_cache(maxsize=4_096)
def _price(text: str) -> Decimal:
    if not _MONEY.fullmatch(text):
        raise _bad("UnitPrice", text, "a price such as 2.55")
    return Decimal(text)


@lru_cache(maxsize=4_096)
def _customer(text: str) -> str | None:
    if not text:
        return None
    plain = text.removesuffix(".0")
    if not _CUSTOMER.fullmatch(plain):
        raise _bad("CustomerID", text, "letters, digits and _.:@- (or nothing)")
    return plain


@lru_cache(maxsize=4_096)
def _known(text: str) -> str:
    return text


@lru_cache(maxsize=65_536)
def _instant(text: str) -> datetime:
    """ISO 8601, or the month/day/year hour:minute of the file's spreadsheet form; UTC unless it
    says otherwise."""
    for parse in (datetime.fromisoformat, _slashed):
        try:
            at = parse(text)
        except ValueError:
            continue
        if 1970 <= at.year < 2200:
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    raise _bad("InvoiceDate", text, "a date such as 2010-12-01 08:26:00")


def _slashed(text: str) -> datetime:
    return datetime.strptime(text, _SLASHED)
