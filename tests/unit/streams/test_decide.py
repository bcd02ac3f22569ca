"""The router's decisions as a table and as properties."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.capping import capped, goes_out, limits
from streams.decide import End, Facts, Look, Send, Wait, decide
from streams.rules import Rules, load_rules
from tests.unit.streams.rulebook import rules_with
from tocsin.quiet import quiet_until
from tocsin.records import (
    CHANNELS,
    Channel,
    Condition,
    Deferred,
    Device,
    NotificationRequest,
    Outcome,
    Preferences,
    Priority,
    Profile,
    QuietHours,
    State,
    Strategy,
)
from tocsin.store.caps import Count

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RULES = load_rules()
ANNA = Profile(
    user_id="anna",
    email="anna@example.org",
    phone="+447700900123",
    locale="de-AT",
    devices={"d1": Device(platform="ios", token="a" * 64)},
)
ORDER = NotificationRequest(notification_id="n1", user_id="anna", type="ORDER_CONFIRMATION")
EVERYWHERE = replace(ORDER, channels=(Channel.INAPP, Channel.PUSH, Channel.EMAIL, Channel.SMS))


def _facts(now: datetime = NOW, **more: Any) -> Facts:
    return Facts(NOW, now, "ORDER_CONFIRMATION", **more)


def _looks(
    request: NotificationRequest = ORDER,
    profile: Profile | None = ANNA,
    facts: Facts | None = None,
    rules: Rules = RULES,
) -> dict[str, Look]:
    """By channel; channels that wait together share the look."""
    found: dict[str, Look] = {}
    for look in decide(request, profile, facts or _facts(), rules):
        for channel in _channels(look):
            assert channel not in found
            found[channel] = look
    return found


def _channels(look: Look) -> tuple[str, ...]:
    match look:
        case Send(delivery, _):
            return (delivery.channel,)
        case End(outcome):
            return (outcome.channel,)
        case Wait(deferred, _):
            return deferred.channels


def _end(look: Look) -> Outcome:
    assert isinstance(look, End)
    return look.outcome


def _wait(look: Look) -> Deferred:
    assert isinstance(look, Wait)
    return look.deferred


def _ends(looks: dict[str, Look]) -> set[tuple[State, str]]:
    return {(end.state, end.reason) for end in map(_end, looks.values())}


def _quiet(**more: Any) -> Profile:
    wants = Preferences(quiet_hours=QuietHours("22:00", "07:00"), timezone="Asia/Tokyo", **more)
    return replace(ANNA, preferences=wants)


NIGHT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
"""Midnight in Tokyo."""
MORNING = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)


def test_a_type_goes_to_its_own_channels_when_the_request_names_none() -> None:
    assert set(_looks()) == {"inapp", "email"}


def test_the_channels_of_the_request_win_and_are_taken_once() -> None:
    request = replace(ORDER, channels=(Channel.SMS, Channel.PUSH, Channel.SMS))
    assert list(_looks(request)) == ["sms", "push"]


def test_an_unknown_user_is_a_failure_on_each_channel_with_the_reason() -> None:
    found = _looks(profile=None)
    assert _ends(found) == {(State.FAILED, "unknown_user")}
    assert len(found) == 2


def test_no_address_suppresses_that_channel_only() -> None:
    found = _looks(profile=replace(ANNA, email=None))
    assert isinstance(found["inapp"], Send)
    assert _end(found["email"]).reason == "no_address"


def test_a_template_without_words_for_a_channel_suppresses_that_one_only() -> None:
    found = _looks(facts=_facts(words={Channel.INAPP}))
    assert isinstance(found["inapp"], Send)
    assert _end(found["email"]).reason == "no_words"


def test_muting_a_category_on_a_channel_suppresses_just_that() -> None:
    muted = Preferences(muted={"transactional": (Channel.EMAIL,)})
    found = _looks(profile=replace(ANNA, preferences=muted))
    assert isinstance(found["inapp"], Send)
    assert (_end(found["email"]).state, _end(found["email"]).reason) == (State.SUPPRESSED, "muted")


def test_an_expired_request_is_expired_and_says_when() -> None:
    found = _looks(replace(ORDER, expires_at=NOW))
    assert _ends(found) == {(State.EXPIRED, "expired_before_routing")}


def test_send_at_waits_as_one_for_all_channels() -> None:
    at = NOW + timedelta(hours=2)
    (look,) = decide(replace(ORDER, send_at=at), ANNA, _facts(), RULES)
    wait = _wait(look)
    assert (wait.due_at, wait.channels, wait.why) == (at, ("inapp", "email"), "send_at")
    assert wait.schedule_id == "n1:inapp+email"


def test_what_waited_for_its_hour_goes_out_with_the_words_it_was_found_fit_for() -> None:
    at = NOW + timedelta(hours=2)
    request = replace(ORDER, send_at=at)
    (look,) = decide(request, ANNA, _facts(template_version=3), RULES)
    wait = _wait(look)
    assert (wait.request.template_id, wait.request.template_version) == ("ORDER_CONFIRMATION", 3)
    found = _looks(wait.request, facts=_facts(at, woken=wait))
    assert all(isinstance(look, Send) for look in found.values())


def test_an_item_ends_when_its_sender_said_and_not_with_the_lifetime_of_its_type() -> None:
    soon = NOW + timedelta(hours=1)
    for said in (soon, None):
        for look in _looks(replace(ORDER, expires_at=said)).values():
            assert isinstance(look, Send)
            assert look.delivery.ends_at == said
            assert look.delivery.expires_at == (said or NOW + timedelta(days=3))


def test_a_request_that_expires_before_its_send_at_never_goes_out() -> None:
    late = replace(ORDER, send_at=NOW + timedelta(hours=2), expires_at=NOW + timedelta(hours=1))
    assert _ends(_looks(late)) == {(State.EXPIRED, "expires_before_it_may_be_sent")}


def test_a_type_lives_from_its_send_at() -> None:
    at = NOW + timedelta(days=30)
    look = _looks(replace(ORDER, send_at=at))["email"]
    found = _looks(_wait(look).request, facts=_facts(at, woken=_wait(look)))
    assert isinstance(found["email"], Send)
    assert found["email"].delivery.expires_at == at + timedelta(days=3)


def test_quiet_hours_put_off_and_do_not_drop() -> None:
    (look,) = decide(ORDER, _quiet(), _facts(NIGHT), RULES)
    assert (_wait(look).due_at, _wait(look).why) == (MORNING, "quiet_hours")


def test_critical_passes_quiet_hours_and_no_opt_out() -> None:
    alarm = replace(ORDER, priority=Priority.CRITICAL)
    found = _looks(alarm, _quiet(), _facts(NIGHT))
    assert all(isinstance(look, Send) for look in found.values())
    found = _looks(alarm, _quiet(opted_out=True), _facts(NIGHT))
    assert _ends(found) == {(State.SUPPRESSED, "opted_out")}


def test_a_security_warning_passes_opt_out_muting_and_quiet_hours() -> None:
    alarm = replace(ORDER, priority=Priority.CRITICAL, category="security")
    everything = {"security": CHANNELS}
    found = _looks(alarm, _quiet(opted_out=True, muted=everything), _facts(NIGHT))
    assert all(isinstance(look, Send) for look in found.values())


def test_a_taken_dedupe_key_suppresses_and_says_so() -> None:
    found = _looks(facts=_facts(duplicate=True))
    assert _ends(found) == {(State.SUPPRESSED, "duplicate")}
    assert len(found) == 2


def test_a_cancelled_one_is_cancelled_whatever_else_is_true_of_it() -> None:
    found = _looks(replace(ORDER, expires_at=NOW), None, _facts(cancelled=True))
    assert _ends(found) == {(State.CANCELLED, "cancelled")}


def test_first_takes_the_first_channel_that_reaches_the_person() -> None:
    request = replace(EVERYWHERE, strategy=Strategy.FIRST, channels=EVERYWHERE.channels[1:])
    found = _looks(request, replace(ANNA, devices={}))
    assert _end(found["push"]).reason == "no_address"
    assert isinstance(found["email"], Send)
    assert _end(found["sms"]).reason == "first:email"


def test_a_cascade_begins_in_app_and_the_rest_is_conditional() -> None:
    found = _looks(replace(EVERYWHERE, strategy=Strategy.CASCADE))
    inapp, push = found["inapp"], found["push"]
    assert isinstance(inapp, Send)
    assert inapp.delivery.not_before is None
    assert isinstance(push, Send)
    assert push.delivery.unless is Condition.ACKED
    assert push.delivery.not_before == NOW + RULES.cascade.ack
    for channel in ("email", "sms"):
        wait = _wait(found[channel])
        assert (wait.why, wait.unless) == ("escalation", Condition.READ)
        assert wait.due_at == NOW + RULES.cascade.unread


def test_an_escalation_ends_when_the_message_was_read_and_goes_out_when_not() -> None:
    wait = _wait(_looks(replace(EVERYWHERE, strategy=Strategy.CASCADE))["email"])
    later = _facts(wait.due_at, woken=wait)
    assert _ends(_looks(wait.request, facts=later._replace(happened=True))) == {
        (State.CANCELLED, "read")
    }
    assert isinstance(_looks(wait.request, facts=later)["email"], Send)


def test_an_escalation_into_quiet_hours_stays_conditional() -> None:
    wait = _wait(_looks(replace(EVERYWHERE, strategy=Strategy.CASCADE))["email"])
    again = _wait(_looks(wait.request, _quiet(), _facts(NIGHT, woken=wait))["email"])
    assert (again.why, again.unless, again.due_at) == ("quiet_hours", Condition.READ, MORNING)
    assert isinstance(_looks(again.request, _quiet(), _facts(MORNING, woken=again))["email"], Send)


def test_a_cascade_without_in_app_is_the_first_channel() -> None:
    request = replace(ORDER, strategy=Strategy.CASCADE, channels=(Channel.PUSH, Channel.SMS))
    found = _looks(request)
    assert isinstance(found["push"], Send)
    assert found["push"].delivery.unless is None
    assert _end(found["sms"]).reason == "first:push"


DIGESTED = rules_with(
    types={"ORDER_CONFIRMATION": {"digest": {"channels": ["email"], "window": "PT30M"}}}
)


def test_a_digest_collects_its_channels_and_leaves_the_others() -> None:
    found = _looks(rules=DIGESTED)
    assert isinstance(found["inapp"], Send)
    wait = _wait(found["email"])
    assert (wait.why, wait.due_at) == ("digest", NOW + timedelta(minutes=30))


def test_what_is_high_is_not_collected() -> None:
    found = _looks(replace(ORDER, priority=Priority.HIGH), rules=DIGESTED)
    assert isinstance(found["email"], Send)


def test_what_was_collected_is_not_collected_again() -> None:
    wait = replace(_wait(_looks(rules=DIGESTED)["email"]), digest="b1")
    found = _looks(wait.request, facts=_facts(wait.due_at, woken=wait), rules=DIGESTED)
    assert isinstance(found["email"], Send)


CAPPED = rules_with(categories={"transactional": {"cap": {"most": 2, "per": "PT1H"}}})


def _after(count: Count, request: NotificationRequest = ORDER) -> dict[str, Look]:
    looks = decide(request, ANNA, _facts(), CAPPED)
    assert goes_out(looks)
    (limit,) = limits(request, CAPPED)
    after = capped(request, looks, _facts(), count, limit)
    return {channel: look for look in after for channel in _channels(look)}


def test_below_the_cap_it_goes_out_and_the_trace_has_the_count() -> None:
    look = _after(Count("", 1))["email"]
    assert isinstance(look, Send)
    assert look.trace.endswith(";cap=transactional:1/2")


def test_at_the_cap_every_channel_is_suppressed_escalations_too() -> None:
    request = replace(EVERYWHERE, strategy=Strategy.CASCADE)
    found = _after(Count("transactional", 2), request)
    assert _ends(found) == {(State.SUPPRESSED, "capped:transactional")}
    assert set(found) == set(EVERYWHERE.channels)


def test_critical_is_not_counted() -> None:
    assert limits(replace(ORDER, priority=Priority.CRITICAL), CAPPED) == []


def test_a_trace_tells_the_steps_in_order() -> None:
    steps = [step.partition("=")[0] for step in _sent(_looks()["email"]).trace.split(";")]
    assert steps == [
        "rules", "category", "lane", "opt_out", "muted", "address", "quiet", "strategy",
    ]  # fmt: skip


def _sent(look: Look) -> Send:
    assert isinstance(look, Send)
    return look


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
    strategy=st.none() | st.sampled_from(list(Strategy)),
    send_at=st.none() | st.integers(-90, 90).map(lambda m: NOW + timedelta(minutes=m)),
)
minutes = st.integers(0, 2 * 24 * 60).map(lambda m: NOW + timedelta(minutes=m))


@given(requests, preferences, minutes)
def test_every_channel_gets_exactly_one_look(
    request: NotificationRequest, wants: Preferences, now: datetime
) -> None:
    found = _looks(request, replace(ANNA, preferences=wants), _facts(now))
    assert found
    if request.channels:
        assert set(found) == set(request.channels)


@given(requests, preferences, minutes)
def test_after_an_opt_out_nothing_but_security_warnings_goes_out(
    request: NotificationRequest, wants: Preferences, now: datetime
) -> None:
    out = replace(ANNA, preferences=replace(wants, opted_out=True))
    found = _looks(request, out, _facts(now))
    assert not any(isinstance(look, Send) for look in found.values())


@given(requests, preferences, minutes)
def test_nothing_but_what_is_critical_goes_out_in_quiet_hours(
    request: NotificationRequest, wants: Preferences, now: datetime
) -> None:
    until = quiet_until(wants.quiet_hours, wants.timezone, now)
    found = _looks(request, replace(ANNA, preferences=wants), _facts(now))
    sent = [look for look in found.values() if isinstance(look, Send)]
    assert not sent or until is None or request.priority is Priority.CRITICAL


@given(requests, preferences, minutes)
def test_what_waits_is_due_later_and_never_too_late(
    request: NotificationRequest, wants: Preferences, now: datetime
) -> None:
    for look in _looks(request, replace(ANNA, preferences=wants), _facts(now)).values():
        if isinstance(look, Wait):
            assert look.deferred.due_at > now
        if isinstance(look, Send):
            assert look.delivery.expires_at is not None
            assert look.delivery.expires_at > now


@pytest.mark.parametrize("priority", list(Priority))
def test_the_delivery_carries_what_the_request_said(priority: Priority) -> None:
    request = replace(ORDER, priority=priority, collapse_key="c", data={"order": "5"})
    for look in _looks(request).values():
        delivery = _sent(look).delivery
        assert (delivery.priority, delivery.collapse_key, delivery.data) == (
            priority,
            "c",
            {"order": "5"},
        )
        assert delivery.delivery_id == f"n1:{delivery.channel}"
        assert delivery.locale == "de-AT"
