"""How a batch ended, as the metrics tell it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from prometheus_client import REGISTRY

from streams.ends import Ends
from tocsin.records import Outcome, State
from tocsin.store import SendResult

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
CHANNEL = "test-channel"
"""No other test's: the process has one registry."""


def outcome(state: State, seconds: float) -> Outcome:
    return Outcome(
        "n:c", "n", "u", CHANNEL, "SALE_OFFER", state, 1, AT, AT + timedelta(seconds=seconds)
    )


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def told(ends: Iterable[Outcome], lane: str = "normal") -> None:
    found = Ends()
    for each in ends:
        found.ended(each, lane)
    found.tell()


def test_every_end_is_counted_and_timed_from_its_acceptance() -> None:
    told([outcome(State.DELIVERED, 0.2), outcome(State.DELIVERED, 4), outcome(State.FAILED, 700)])
    assert value("tocsin_outcomes_total", channel=CHANNEL, state="delivered") == 2
    assert value("tocsin_outcomes_total", channel=CHANNEL, state="failed") == 1
    seconds = {"channel": CHANNEL, "lane": "normal"}
    assert value("tocsin_delivery_seconds_count", **seconds) == 3
    assert value("tocsin_delivery_seconds_bucket", **seconds, le="5.0") == 2


def test_what_never_came_to_a_sender_is_counted_and_not_timed() -> None:
    ends = Ends()
    ends.early(outcome(State.SUPPRESSED, 1))
    before = value("tocsin_outcomes_total", channel=CHANNEL, state="suppressed")
    ends.tell()
    assert value("tocsin_outcomes_total", channel=CHANNEL, state="suppressed") == before + 1
    assert value("tocsin_delivery_seconds_count", channel=CHANNEL, lane="early") == 0


def test_attempts_are_counted_by_provider_where_there_was_one() -> None:
    ends = Ends()
    for state in (State.DELIVERED, State.RETRY, State.RETRY):
        ends.answered(SendResult("n:c", state, provider="test-provider"))
    ends.answered(SendResult("n:c", State.SUPPRESSED, "no_address"))
    ends.tell()
    assert value("tocsin_provider_results_total", provider="test-provider", state="retry") == 2
    assert value("tocsin_provider_results_total", provider="", state="suppressed") == 0
