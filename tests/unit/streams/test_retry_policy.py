"""Backoff: bounded, jittered, polite to Retry-After and deaf to absurd ones."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.retry_policy import CAP, exhausted, hold_wait, next_wait, tier
from streams.rules import load_rules
from tocsin.records import Channel, Delivery, Lane, Priority
from tocsin.topics import RETRIES, RETRIES_HIGH, Topic

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULES = load_rules()
chances = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 1000), st.none() | st.floats(-1e9, 1e12), chances)
def test_a_wait_is_never_negative_nor_beyond_the_cap(
    attempt: int, retry_after: float | None, chance: float
) -> None:
    assert 0 <= next_wait(attempt, retry_after, chance) <= CAP


@given(st.integers(1, 12), st.floats(0, CAP), chances)
def test_retry_after_is_honoured(attempt: int, retry_after: float, chance: float) -> None:
    assert next_wait(attempt, retry_after, chance) >= min(retry_after, CAP)


def test_the_backoff_doubles() -> None:
    assert [next_wait(n, None, 0.5) for n in (1, 2, 3, 4)] == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("lane", "topics"),
    [(Lane.HIGH, RETRIES_HIGH), (Lane.NORMAL, RETRIES), (Lane.LOW, RETRIES)],
)
def test_each_wait_has_its_topic(lane: Lane, topics: tuple[Topic, ...]) -> None:
    short, medium, long = topics
    waits = (0.1, 2, 2.1, 30, 31, 300, 86_400)
    assert [tier(w, lane) for w in waits] == [short, short, medium, medium, long, long, long]


DELIVERY = Delivery(
    notification_id="n",
    user_id="u",
    channel=Channel.PUSH,
    type="T",
    category="c",
    template_id="T",
    data={},
    accepted_at=NOW,
)


def test_what_is_high_waits_apart() -> None:
    assert [tier(w, Lane.HIGH) for w in (1, 10, 100)] == list(RETRIES_HIGH)
    assert [tier(w, Lane.LOW) for w in (1, 10, 100)] == list(RETRIES)


@given(st.sampled_from(list(Priority)), st.integers(1, 20))
def test_attempts_end(priority: Priority, attempt: int) -> None:
    delivery = replace(DELIVERY, priority=priority, attempt=attempt)
    over = exhausted(delivery, NOW, 1, RULES) == "attempts"
    assert over == (attempt >= RULES.classes[priority].attempts)


@given(st.sampled_from(list(Priority)), st.integers(0, 10**6), st.floats(0, CAP))
def test_nothing_is_tried_after_its_deadline_or_its_expiry(
    priority: Priority, since: int, wait: float
) -> None:
    now = NOW + timedelta(seconds=since)
    expires_at = NOW + timedelta(hours=2)
    delivery = replace(DELIVERY, priority=priority, tried_at=NOW, expires_at=expires_at)
    again = now + timedelta(seconds=wait)
    if not exhausted(delivery, now, wait, RULES):
        assert again < expires_at
        assert again <= NOW + RULES.classes[priority].deadline


def test_what_waited_for_its_hour_has_its_whole_deadline_from_then_on() -> None:
    late = NOW + timedelta(days=30)
    assert exhausted(DELIVERY, late, 60, RULES) == ""


@given(st.integers(1, 1000), st.floats(0, 60), st.sampled_from(list(Lane)), chances)
def test_what_is_held_comes_back_not_too_early_and_not_too_late(
    held: int, retry_after: float, lane: Lane, chance: float
) -> None:
    wait = hold_wait(held, retry_after, lane, chance)
    assert retry_after <= wait <= CAP
    if lane is Lane.HIGH:
        assert wait <= max(30, retry_after * 1.25)


def test_what_is_held_goes_round_ever_more_slowly() -> None:
    assert [hold_wait(n, 0, Lane.NORMAL, 0.5) for n in (1, 3, 6, 20)] == [1, 4, 32, 150]


@given(st.sampled_from(list(Priority)), st.integers(0, 500))
def test_an_outage_uses_up_no_attempt(priority: Priority, held: int) -> None:
    delivery = replace(DELIVERY, priority=priority, attempt=held + 1, held=held, tried_at=NOW)
    soon = NOW + timedelta(minutes=5)
    assert exhausted(delivery, soon, 1, RULES) == ""
    late = NOW + RULES.classes[priority].deadline
    assert exhausted(delivery, late, 1, RULES) == "deadline", "but it is not held for ever"
    assert exhausted(replace(delivery, expires_at=soon), soon, 1, RULES) == "expiry"
