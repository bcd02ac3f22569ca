"""The router's decisions as a table and as properties."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.decide import decide
from tocsin.records import (
    CHANNELS,
    Channel,
    Delivery,
    Device,
    NotificationRequest,
    Outcome,
    Preferences,
    Priority,
    Profile,
    QuietHours,
    State,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ANNA = Profile(
    user_id="anna",
    email="anna@example.org",
    phone="+447700900123",
    devices={"d1": Device(platform="ios", token="a" * 64)},
)
ORDER = NotificationRequest(notification_id="n1", user_id="anna", type="ORDER_CONFIRMATION")


def _decisions(
    request: NotificationRequest = ORDER, profile: Profile | None = ANNA, now: datetime = NOW
) -> dict[str, Delivery | Outcome]:
    return {d.channel: d for d in decide(request, profile, NOW, now)}


def test_a_type_goes_to_its_own_channels_when_the_request_names_none() -> None:
    assert set(_decisions()) == {"inapp", "email"}


def test_the_channels_of_the_request_win_and_are_taken_once() -> None:
    request = replace(ORDER, channels=(Channel.SMS, Channel.PUSH, Channel.SMS))
    assert list(_decisions(request)) == ["sms", "push"]


def test_an_unknown_user_is_a_failure_on_each_channel_with_the_reason() -> None:
    found = _decisions(profile=None)
    assert {(o.state, o.reason) for o in found.values() if isinstance(o, Outcome)} == {
        (State.FAILED, "unknown_user")
    }
    assert len(found) == 2


def test_no_address_suppresses_that_channel_only() -> None:
    found = _decisions(profile=replace(ANNA, email=None))
    assert isinstance(found["inapp"], Delivery)
    assert isinstance(found["email"], Outcome)
    assert found["email"].reason == "no_address"


def test_muting_a_category_on_a_channel_suppresses_just_that() -> None:
    muted = Preferences(muted={"transactional": (Channel.EMAIL,)})
    found = _decisions(profile=replace(ANNA, preferences=muted))
    assert isinstance(found["inapp"], Delivery)
    assert isinstance(found["email"], Outcome)
    assert (found["email"].state, found["email"].reason) == (State.SUPPRESSED, "muted")


def test_an_expired_request_is_expired_and_says_when() -> None:
    found = _decisions(replace(ORDER, expires_at=NOW))
    assert {o.state for o in found.values() if isinstance(o, Outcome)} == {State.EXPIRED}


def test_send_at_holds_the_delivery_until_then() -> None:
    at = NOW + timedelta(hours=2)
    found = _decisions(replace(ORDER, send_at=at))
    assert {d.not_before for d in found.values() if isinstance(d, Delivery)} == {at}


def test_a_request_that_expires_before_its_send_at_never_goes_out() -> None:
    late = replace(ORDER, send_at=NOW + timedelta(hours=2), expires_at=NOW + timedelta(hours=1))
    assert {o.reason for o in _decisions(late).values() if isinstance(o, Outcome)} == {
        "expires_before_it_may_be_sent"
    }


def test_quiet_hours_put_off_and_do_not_drop() -> None:
    quiet = Preferences(quiet_hours=QuietHours("22:00", "07:00"), timezone="Asia/Tokyo")
    night = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # midnight in Tokyo
    found = _decisions(profile=replace(ANNA, preferences=quiet), now=night)
    morning = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
    assert {d.not_before for d in found.values() if isinstance(d, Delivery)} == {morning}


def test_a_taken_dedupe_key_suppresses_and_says_so() -> None:
    found = list(decide(ORDER, ANNA, NOW, NOW, duplicate=True))
    assert {(o.state, o.reason) for o in found if isinstance(o, Outcome)} == {
        (State.SUPPRESSED, "duplicate")
    }
    assert len(found) == 2


times = st.integers(0, 23).map("{:02d}:30".format)
preferences = st.builds(
    Preferences,
    opted_out=st.booleans(),
    muted=st.dictionaries(
        st.sampled_from(["transactional", "stock", "promotional"]),
        st.lists(st.sampled_from(CHANNELS), unique=True).map(tuple),
    ),
    quiet_hours=st.none() | st.builds(QuietHours, start=times, end=times),
    timezone=st.sampled_from(["UTC", "Europe/London", "Asia/Kolkata", "No/Where"]),
)
requests = st.builds(
    NotificationRequest,
    notification_id=st.just("n"),
    user_id=st.just("anna"),
    type=st.sampled_from(["BACK_IN_STOCK", "ORDER_UPDATE", "SALE_OFFER", "SHOPS_OWN"]),
    channels=st.lists(st.sampled_from(CHANNELS), unique=True).map(tuple),
    priority=st.sampled_from(list(Priority)),
)


@given(requests, preferences)
def test_every_channel_gets_exactly_one_decision(
    request: NotificationRequest, wants: Preferences
) -> None:
    found = list(decide(request, replace(ANNA, preferences=wants), NOW, NOW))
    assert len({d.channel for d in found}) == len(found) >= 1
    if request.channels:
        assert {d.channel for d in found} == set(request.channels)


@given(requests, preferences)
def test_after_an_opt_out_only_what_is_critical_goes_out(
    request: NotificationRequest, wants: Preferences
) -> None:
    out = replace(ANNA, preferences=replace(wants, opted_out=True))
    found = list(decide(request, out, NOW, NOW))
    critical = request.priority is Priority.CRITICAL
    assert all(isinstance(d, Delivery) == critical for d in found)


@pytest.mark.parametrize("priority", list(Priority))
def test_the_delivery_carries_what_the_request_said(priority: Priority) -> None:
    request = replace(ORDER, priority=priority, collapse_key="c", data={"order": "5"})
    for delivery in _decisions(request).values():
        assert isinstance(delivery, Delivery)
        assert (delivery.priority, delivery.collapse_key, delivery.data) == (
            priority,
            "c",
            {"order": "5"},
        )
        assert delivery.delivery_id == f"n1:{delivery.channel}"
