"""The parameters of questions: declared in SQL, given as text, checked before ClickHouse sees them.

Pure: `now` is handed in.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import available_timezones

from tocsin.errors import Invalid

PRICES: Final = Path(__file__).parent / "prices.toml"
MOST_HOURS: Final = 100_000
"""Eleven years; rows are kept for a month, and counts of them for a year."""

_MOST: Final = 2**32 - 1
_MOST_CHARACTERS: Final = 4_000
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_PRICE: Final = re.compile(r"\s*([^:=,\s]+):([^:=,\s]*)=(\d{1,9}(?:\.\d{1,9})?)\s*")


class Parameter(NamedTuple):
    """Its ClickHouse type, what it is when it is not given, and what it is for."""

    name: str
    type: str
    default: str
    about: str

    def value(self, given: str, now: datetime) -> Any:
        """What is sent to ClickHouse. Raises `Invalid` naming the parameter."""
        if len(given) > _MOST_CHARACTERS or not given.isprintable():
            raise Invalid(self.name, f"at most {_MOST_CHARACTERS:,} characters that can be printed")
        if self.name in _NAMED:
            return _NAMED[self.name](self.name, given)
        if self.type in _TIMES:
            return instant(self.name, given, now)
        return _KINDS[self.type](self.name, given)


def values(
    parameters: tuple[Parameter, ...], given: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """Every parameter's value. Raises `Invalid` naming one that is unknown or wrong."""
    known = [each.name for each in parameters]
    for name in given:
        if name not in known:
            raise Invalid(name, f"there is no such parameter; there are {', '.join(known)}")
    return {each.name: each.value(given.get(each.name, each.default), now) for each in parameters}


def instant(name: str, given: str, now: datetime) -> str:
    """`now`, or an instant in ISO 8601 (without an offset: UTC), as ClickHouse reads it."""
    try:
        at = now if given == "now" else datetime.fromisoformat(given)
    except ValueError:
        raise Invalid(name, "must be `now`, or an instant such as 2026-11-24T12:00:00Z") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if not _EARLIEST <= at <= _LATEST:
        raise Invalid(name, f"must lie within {_EARLIEST:%Y} and {_LATEST:%Y}")
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


@lru_cache
def bundled_prices() -> str:
    """prices.toml as the parameter is written."""
    prices = tomllib.loads(PRICES.read_text(encoding="utf-8"))["price"]
    return ",".join(f"{p['provider']}:{p['destination']}={p['price']}" for p in prices)


def _whole(name: str, given: str, least: int = 0, most: int = _MOST) -> int:
    if not (given.isascii() and given.isdecimal() and least <= int(given) <= most):
        raise Invalid(name, f"must be a whole number of {least:,} to {most:,}")
    return int(given)


def _hours(name: str, given: str) -> int:
    return _whole(name, given, 1, MOST_HOURS)


def _text(_: str, given: str) -> str:
    return given


def _words(_: str, given: str) -> list[str]:
    return [word.strip() for word in given.split(",") if word.strip()]


def _timezone(name: str, given: str) -> str:
    if given not in available_timezones():
        raise Invalid(name, f"{given!r} is not an IANA time zone, as Europe/Berlin is")
    return given


def _prices(name: str, given: str) -> list[tuple[str, str, float]]:
    found = []
    for each in given.split(",") if given.strip() else ():
        if not (match := _PRICE.fullmatch(each)):
            raise Invalid(name, f"{each!r} is no price: provider:destination=0.04, with commas")
        found.append((match[1], match[2], float(match[3])))
    return found


_TIMES: Final = frozenset({"DateTime64(3, 'UTC')"})
_KINDS: Final[Mapping[str, Callable[[str, str], Any]]] = {
    "UInt32": _whole,
    "String": _text,
    "Array(String)": _words,
    "Array(Tuple(String, String, Float64))": _prices,
}
_NAMED: Final[Mapping[str, Callable[[str, str], Any]]] = {"hours": _hours, "timezone": _timezone}
TYPES: Final = frozenset(_KINDS) | _TIMES
