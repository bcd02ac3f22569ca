"""When a digest is due, across clock changes, and that it is the same one made twice."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.digest import LISTED, LISTED_BYTES, digest_due, digest_id, digest_request
from streams.rules import DigestRule
from tocsin.records import Channel, Deferred, NotificationRequest, encode

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AT_EIGHT = DigestRule(channels=(Channel.EMAIL,), at="08:00")
ENTRY = Deferred(
    schedule_id="n1:email",
    request=NotificationRequest(notification_id="n1", user_id="anna", type="REVIEW"),
    channels=(Channel.EMAIL,),
    accepted_at=NOW,
    due_at=NOW,
    why="digest",
    digest="b1",
)


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        ("2026-11-22T07:59:59+00:00", "UTC", "2026-11-22T08:00:00+00:00"),
        ("2026-11-22T08:00:00+00:00", "UTC", "2026-11-23T08:00:00+00:00"),
        ("2026-11-22T23:30:00+09:00", "Asia/Tokyo", "2026-11-23T08:00:00+09:00"),
        # the night London's clocks go back, and the one they go forward
        ("2026-10-24T20:00:00+01:00", "Europe/London", "2026-10-25T08:00:00+00:00"),
        ("2026-03-28T20:00:00+00:00", "Europe/London", "2026-03-29T08:00:00+01:00"),
        ("2026-11-22T12:00:00+00:00", "Not/AZone", "2026-11-23T08:00:00+00:00"),
    ],
)
def test_the_next_local_time(now: str, zone: str, due: str) -> None:
    found = digest_due(AT_EIGHT, zone, datetime.fromisoformat(now).astimezone(UTC))
    assert found == datetime.fromisoformat(due).astimezone(UTC)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    st.sampled_from(["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe"]),
    st.integers(0, 23),
    st.sampled_from([0, 15, 30]),
)
def test_it_is_always_ahead_and_within_26_hours(
    now: datetime, zone: str, hour: int, minute: int
) -> None:
    rule = DigestRule(channels=(Channel.EMAIL,), at=f"{hour:02d}:{minute:02d}")
    assert now < digest_due(rule, zone, now) <= now + timedelta(hours=26)


def test_a_window_runs_from_the_first() -> None:
    rule = DigestRule(channels=(Channel.EMAIL,), window=timedelta(minutes=30))
    assert digest_due(rule, "UTC", NOW) == NOW + timedelta(minutes=30)


def test_made_again_in_another_order_it_is_the_same_one() -> None:
    entries = [ENTRY, replace(ENTRY, schedule_id="n2:email")]
    lines = [{"title": "a"}, {"title": "b"}]
    name = digest_id(entries)
    assert name == digest_id(entries[::-1])
    assert name != digest_id(entries[:1])
    one = digest_request(name, entries, lines, "promotional", NOW)
    assert (one.notification_id, one.category) == (name, "promotional")
    assert one.data["count"] == 2


def test_a_long_one_says_how_many_more_there_are() -> None:
    entries = [replace(ENTRY, schedule_id=f"n{i}:email") for i in range(LISTED + 7)]
    request = digest_request("d", entries, [{"title": "x"}] * len(entries), "promotional", NOW)
    assert (len(request.data["items"]), request.data["more"]) == (LISTED, 7)


def test_large_lines_are_left_out_and_counted() -> None:
    entries = [replace(ENTRY, schedule_id=f"n{i}:email") for i in range(10)]
    lines = [{"title": "x" * 40_000}] * len(entries)
    request = digest_request("d", entries, lines, "promotional", NOW)
    assert (len(request.data["items"]), request.data["more"]) == (3, 7)
    assert len(encode(request)) < LISTED_BYTES + 1_000
