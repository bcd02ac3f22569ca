"""Where a delivery goes or why not, and what the providers' answers come to."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.decide import (
    Address,
    Overdue,
    addresses,
    concluded,
    destination,
    may_repeat,
    refusal,
)
from actors.message import Sent
from tests.unit.actors.makers import NOW, delivery, profile
from tocsin.errors import AddressGone, Ambiguous, Permanent, Transient
from tocsin.quiet import quiet_until
from tocsin.records import Channel, Device, Preferences, Priority, QuietHours, State
from tocsin.records.notification import SECURITY

OPTED_OUT = Preferences(opted_out=True)
MUTED = Preferences(muted={"transactional": (Channel.PUSH,)})


@pytest.mark.parametrize(
    ("changes", "person", "state", "reason"),
    [
        ({"expires_at": NOW}, profile(), State.EXPIRED, "expired"),
        ({}, None, State.SUPPRESSED, "unknown_user"),
        ({}, profile(preferences=OPTED_OUT), State.SUPPRESSED, "opted_out"),
        ({}, profile(preferences=MUTED), State.SUPPRESSED, "muted"),
        ({"priority": Priority.CRITICAL, "expires_at": NOW}, profile(), State.EXPIRED, "expired"),
    ],
)
def test_what_changed_since_it_was_routed_stops_it(
    changes: dict[str, Any], person: Any, state: State, reason: str
) -> None:
    result = refusal(delivery(**changes), person, NOW)
    assert result is not None
    assert (result.state, result.reason) == (state, reason)


@pytest.mark.parametrize("preferences", [OPTED_OUT, MUTED, Preferences()])
def test_a_security_warning_passes_every_preference(preferences: Preferences) -> None:
    urgent = delivery(priority=Priority.CRITICAL, category=SECURITY, expires_at=None)
    assert refusal(urgent, profile(preferences=preferences), NOW) is None


def test_what_merely_calls_itself_critical_stops_at_an_opt_out() -> None:
    loud = delivery(priority=Priority.CRITICAL, expires_at=None)
    result = refusal(loud, profile(preferences=OPTED_OUT), NOW)
    assert result is not None
    assert result.reason == "opted_out"


times = st.integers(0, 23).map("{:02d}:00".format)
quiet_hours = st.builds(QuietHours, start=times, end=times)
instants = st.integers(0, 7 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))
zones = st.sampled_from(["UTC", "Europe/London", "Asia/Kolkata", "America/St_Johns"])


@given(quiet_hours, zones, instants, st.sampled_from(list(Priority)))
def test_in_quiet_hours_only_what_is_critical_goes_out(
    quiet: QuietHours, zone: str, now: datetime, priority: Priority
) -> None:
    person = profile(preferences=Preferences(quiet_hours=quiet, timezone=zone))
    asked = delivery(priority=priority, expires_at=None)
    result = refusal(asked, person, now)
    until = quiet_until(quiet, zone, now)
    if until is None or priority is Priority.CRITICAL:
        assert result is None
    else:
        assert result is not None
        assert (result.state, result.reason) == (State.DEFERRED, "quiet_hours")
        assert result.retry_after == pytest.approx((until - now).total_seconds())


def test_what_expires_within_quiet_hours_is_expired() -> None:
    quiet = Preferences(quiet_hours=QuietHours("11:00", "13:00"))
    asked = delivery(expires_at=NOW + timedelta(minutes=30))
    result = refusal(asked, profile(preferences=quiet), NOW)
    assert result is not None
    assert result.state is State.EXPIRED


def test_a_push_goes_to_every_device_and_the_rest_to_one_address() -> None:
    person = profile(devices={"a": Device("ios", "t" * 8), "b": Device("web", "u" * 8)})
    assert [(a.kind, a.key) for a in addresses(person, Channel.PUSH)] == [
        ("ios", "a"),
        ("web", "b"),
    ]
    assert [a.value for a in addresses(person, Channel.SMS)] == ["+447700900123"]
    assert [a.value for a in addresses(person, Channel.EMAIL)] == ["u1@example.com"]
    assert addresses(profile(email=None), Channel.EMAIL) == []


@pytest.mark.parametrize(
    ("priority", "category", "again"),
    [
        (Priority.CRITICAL, "promotional", True),
        (Priority.HIGH, "promotional", True),
        (Priority.NORMAL, "transactional", True),
        (Priority.NORMAL, "stock", True),
        (Priority.NORMAL, "promotional", False),
        (Priority.LOW, "stock", False),
    ],
)
def test_only_promotion_is_rather_lost_than_sent_twice(
    priority: Priority, category: str, again: bool
) -> None:
    assert may_repeat(delivery(priority=priority, category=category)) is again


def test_one_device_that_took_it_is_enough() -> None:
    answers: list[Any] = [
        AddressGone("Unregistered", "apns"),
        Sent("fcm", "m1"),
        Transient("500", "apns"),
    ]
    result = concluded(delivery(), answers)
    assert (result.state, result.provider, result.provider_message_id) == (
        State.DELIVERED, "fcm", "m1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("sms", "+447700900123", "+44770"),
        ("sms", "+3541234", "+35412"),
        ("email", "Anna@Mail.Example.COM", "mail.example.com"),
        ("email", '"a@b"@c.example', "c.example"),
        ("ios", "ab" * 32, "ios"),
        ("web", "https://push.example/secret", "web"),
    ],
)
def test_where_it_goes_is_told_without_the_address(kind: str, value: str, told: str) -> None:
    assert Address(kind, value).destination == told


def test_it_went_to_the_device_that_took_it_else_to_the_first_that_was_tried() -> None:
    to = [Address("ios", "a"), Address("web", "b")]
    gone = AddressGone("Unregistered", "apns")
    assert destination(to, [gone, Sent("fcm", "m1")]) == "web"
    assert destination(to, [gone, gone]) == "ios"


def test_a_lost_answer_is_sent_again_soon_or_never() -> None:
    lost: list[Any] = [Permanent("x", "apns"), Ambiguous("ReadTimeoutError", "fcm")]
    again = concluded(delivery(), lost)
    assert (again.state, again.ambiguous, again.retry_after) == (State.RETRY, True, 1.0)
    never = concluded(delivery(category="promotional"), lost)
    assert (never.state, never.reason, never.ambiguous) == (State.FAILED, "ambiguous", True)


def test_the_shortest_wait_asked_for_counts() -> None:
    answers: list[Any] = [Transient("a", "x", 30), Transient("b", "x"), Transient("c", "x", 7)]
    assert concluded(delivery(), answers).retry_after == 7
    assert concluded(delivery(), [Transient("b", "x")]).retry_after is None


def test_what_expired_waiting_its_turn_is_expired_not_failed() -> None:
    assert concluded(delivery(), [Overdue("expired")]).state is State.EXPIRED


ANSWERS = st.one_of(
    st.just(Sent("p", "1")),
    st.sampled_from([Transient, Ambiguous, Permanent, AddressGone]).map(
        lambda kind: kind("r", "p")
    ),
)


@given(st.lists(ANSWERS, min_size=1, max_size=4), st.booleans(), st.booleans())
def test_every_mix_of_answers_has_one_result(
    answers: list[Any], ambiguous: bool, promotional: bool
) -> None:
    item = delivery(category="promotional" if promotional else "stock")
    result = concluded(item, answers, ambiguous)
    assert result.delivery_id == item.delivery_id
    assert result.ambiguous == (ambiguous or any(isinstance(a, Ambiguous) for a in answers))
    assert (result.state is State.DELIVERED) == any(isinstance(a, Sent) for a in answers)
    assert result.retry_after is None or result.state is State.RETRY
    if result.state is State.FAILED and not promotional:
        assert all(isinstance(a, Permanent) for a in answers)


def test_expiry_is_exact() -> None:
    assert refusal(delivery(expires_at=NOW + timedelta(microseconds=1)), profile(), NOW) is None
