"""What an HTTP answer means where the vendor's code says nothing."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.providers.answers import MAX_RETRY_AFTER, by_status, retry_after
from tests.unit.actors.makers import NOW
from tocsin.errors import AddressGone, Ambiguous, Permanent, Transient


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("17", 17),
        (" 2.5 ", 2),
        ("301", MAX_RETRY_AFTER),
        ("9" * 18, MAX_RETRY_AFTER),
        (format_datetime(NOW + timedelta(seconds=40), usegmt=True), 40),
        (format_datetime(NOW - timedelta(days=40), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=4000), usegmt=True), MAX_RETRY_AFTER),
    ],
)
def test_seconds_and_dates_are_read_and_capped(header: str, seconds: float) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "1e9", "nan", "9" * 5000, "٣"])
def test_what_nobody_can_read_is_as_if_absent(header: str | None) -> None:
    assert retry_after(header, NOW) in (None, 3.0)


@given(st.text(max_size=60))
def test_no_header_raises_or_escapes_the_bounds(header: str) -> None:
    wait = retry_after(header, NOW)
    assert wait is None or 0 <= wait <= MAX_RETRY_AFTER


@given(st.integers(300, 599))
def test_an_unknown_code_falls_back_to_its_class(status: int) -> None:
    error = by_status(status, "", "x", 1.0)
    assert not isinstance(error, (AddressGone, Ambiguous))
    assert isinstance(error, Transient) == (status >= 500 or status in (408, 425, 429))
    assert isinstance(error, Permanent) != isinstance(error, Transient)
    assert str(status) in error.reason
