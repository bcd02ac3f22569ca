"""Quiet hours, around midnight and where clocks change."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.quiet import quiet_until
from tocsin.records import QuietHours

NIGHT = QuietHours("22:00", "07:00")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        ("2026-11-22T21:59:59+00:00", "UTC", None),
        ("2026-11-22T22:00:00+00:00", "UTC", "2026-11-23T07:00:00+00:00"),
        ("2026-11-23T06:59:59+00:00", "UTC", "2026-11-23T07:00:00+00:00"),
        ("2026-11-23T07:00:00+00:00", "UTC", None),
        ("2026-11-22T22:30:00+01:00", "Europe/Paris", "2026-11-23T07:00:00+01:00"),
        # London goes back an hour at 01:00 UTC on 25 October 2026
        ("2026-10-24T22:30:00+01:00", "Europe/London", "2026-10-25T07:00:00+00:00"),
        # ...and forward on 29 March 2026
        ("2026-03-28T23:00:00+00:00", "Europe/London", "2026-03-29T07:00:00+01:00"),
        ("2026-11-22T23:00:00+00:00", "Not/AZone", "2026-11-23T07:00:00+00:00"),
    ],
)
def test_when_it_is_quiet_until_when(now: str, zone: str, until: str | None) -> None:
    assert quiet_until(NIGHT, zone, _at(now)) == (until and _at(until))


def test_equal_ends_are_never_quiet() -> None:
    assert quiet_until(QuietHours("08:00", "08:00"), "UTC", _at("2026-11-22T08:00+00:00")) is None


def test_without_quiet_hours_it_is_never_quiet() -> None:
    assert quiet_until(None, "UTC", _at("2026-11-22T03:00+00:00")) is None


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    st.sampled_from(["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe"]),
    st.integers(0, 23),
    st.integers(0, 23),
)
def test_the_end_lies_ahead_and_it_is_not_quiet_there(
    now: datetime, zone: str, start: int, end: int
) -> None:
    quiet = QuietHours(f"{start:02d}:00", f"{end:02d}:00")
    until = quiet_until(quiet, zone, now)
    if until is not None:
        assert until > now
        assert quiet_until(quiet, zone, until) is None
