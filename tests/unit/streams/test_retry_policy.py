"""Backoff: bounded, jittered, polite to Retry-After and deaf to absurd ones."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from streams.policy import ATTEMPTS
from streams.retry_policy import CAP, exhausted, next_wait, tier
from tocsin.records import Channel, Delivery, Priority
from tocsin.topics import RETRY_LONG, RETRY_MEDIUM, RETRY_SHORT

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


def test_each_wait_has_its_topic() -> None:
    assert [tier(w) for w in (0.1, 2, 2.1, 30, 31, 86_400)] == [
        RETRY_SHORT,
        RETRY_SHORT,
        RETRY_MEDIUM,
        RETRY_MEDIUM,
        RETRY_LONG,
        RETRY_LONG,
    ]


@given(st.sampled_from(list(Priority)), st.integers(1, 20))
def test_attempts_end(priority: Priority, attempt: int) -> None:
    delivery = Delivery(
        notification_id="n",
        user_id="u",
        channel=Channel.PUSH,
        type="T",
        category="c",
        template_id="T",
        data={},
        accepted_at=datetime(2026, 1, 1, tzinfo=UTC),
        priority=priority,
        attempt=attempt,
    )
    assert exhausted(delivery) == (attempt >= ATTEMPTS[priority])
