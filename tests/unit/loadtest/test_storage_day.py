"""The day of the storage bench is a day as the system would have it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from analytics.writer.rows import fill
from analytics.writer.tables import ACCEPTED, DECISIONS, DELIVERIES, REQUESTS
from loadtest.bench.storage.day import Day, start_of
from loadtest.bench.storage.feed import Feed
from tocsin.records import TERMINAL, State

START = datetime(2026, 11, 23, tzinfo=UTC)
COUNT = 3_000


def test_every_delivery_begins_and_ends_once() -> None:
    states: dict[str, Counter[State]] = {}
    for told in Day(START).told(COUNT):
        for outcome in told.outcomes:
            states.setdefault(outcome.delivery_id, Counter())[outcome.state] += 1
    assert len(states) >= COUNT
    for found in states.values():
        assert found[State.ACCEPTED] == sum(found[end] for end in TERMINAL) == 1


def test_the_same_seed_is_the_same_day() -> None:
    assert list(Day(START).told(100)) == list(Day(START).told(100))
    assert list(Day(START, 1).told(100)) != list(Day(START, 2).told(100))


def test_both_kinds_of_ids_and_every_channel_are_in_it() -> None:
    told = list(Day(START).told(COUNT))
    assert {each.request.notification_id[14] for each in told} == {"5", "7"}
    ended = [o for each in told for o in each.outcomes if o.state is State.DELIVERED]
    assert {o.channel for o in ended} == {"inapp", "push", "email", "sms"}
    assert {o.provider for o in ended} == {"inbox", "apns", "fcm", "smtp", "twilio"}


def test_the_writer_reads_all_of_it_in_the_order_of_time() -> None:
    rows: Counter[str] = Counter()
    newest = START
    for blocks in Feed(Day(START)).blocks(COUNT):
        for block in blocks:
            filled = fill(block.topic, block.records)
            assert filled.skipped == 0
            rows.update({table.name: len(found) for table, found in filled.rows.items()})
            for outcome in filled.rows.get(DELIVERIES, ()):
                assert outcome.at >= newest
                newest = outcome.at
    assert rows[ACCEPTED.name] == rows[DECISIONS.name] >= COUNT
    assert rows[DELIVERIES.name] >= rows[ACCEPTED.name] >= rows[REQUESTS.name] > 0


def test_it_is_a_day_that_is_over_and_not_long_ago() -> None:
    now = datetime(2026, 11, 24, 13, tzinfo=UTC)
    assert start_of(now) == now.replace(hour=0) - timedelta(days=1)
