"""From Kafka's records to ClickHouse's rows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from analytics.writer.rows import Erasure, Record, Request, fill
from analytics.writer.tables import (
    ACCEPTED,
    DEAD_LETTERS,
    DECISIONS,
    DELIVERIES,
    EARLIEST_MS,
    ENGAGEMENT,
    ERASURES,
    INVENTORY,
    LATEST_MS,
    REQUESTS,
    TABLES,
    milliseconds,
)
from tocsin.records import (
    Channel,
    DeadLetter,
    Engagement,
    InventoryChange,
    NotificationRequest,
    OtpChallenge,
    Outcome,
    OutcomeBatch,
    Profile,
    State,
    encode,
)

AT = datetime(2026, 11, 22, 10, 0, 0, 123_000, tzinfo=UTC)
MS = 1_795_341_600_123


def _record(value: bytes, offset: int = 7) -> Record:
    return Record(partition=2, offset=offset, timestamp=MS - 1000, value=value)


def _outcome(state: State, **more: object) -> Outcome:
    fields = {
        "delivery_id": "n:push", "notification_id": "n", "user_id": "u", "channel": "push",
        "type": "SALE_OFFER", "state": state, "attempt": 1, "accepted_at": AT, "at": AT,
    }  # fmt: skip
    return Outcome(**(fields | more))  # type: ignore[arg-type]


def test_outcomes_open_deliveries_or_end_them() -> None:
    batch = OutcomeBatch([_outcome(State.ACCEPTED), _outcome(State.FAILED), _outcome(State.RETRY)])
    filled = fill("delivery.outcomes", [_record(encode(batch))])
    assert [each.state for each in filled.rows[ACCEPTED]] == [State.ACCEPTED]
    assert [each.state for each in filled.rows[DELIVERIES]] == [State.FAILED]
    assert filled.skipped == 0


def test_a_look_is_on_record_when_it_has_a_trace_or_is_a_station() -> None:
    due = AT + timedelta(hours=9)
    outcomes = [
        _outcome(State.ACCEPTED, trace="dedupe=first;quiet_hours=no"), _outcome(State.ACCEPTED),
        _outcome(State.SUPPRESSED, trace="opt_out=yes", reason="opted_out"),
        _outcome(State.DEFERRED, due_at=due, reason="quiet_hours"),
        _outcome(State.RETRY, attempt=3), _outcome(State.DELIVERED),
    ]  # fmt: skip
    filled = fill("delivery.outcomes", [_record(encode(OutcomeBatch(outcomes)))])
    assert [len(filled.rows[table]) for table in (ACCEPTED, DELIVERIES)] == [2, 2]
    columns = dict(zip(DECISIONS.names, DECISIONS.fill(filled.rows[DECISIONS]), strict=True))
    assert columns["state"] == ["accepted", "suppressed", "deferred", "retry"]
    assert columns["trace"] == ["dedupe=first;quiet_hours=no", "opt_out=yes", "", ""]
    assert columns["due_at"] == [None, None, MS + 9 * 3_600_000, None]
    assert columns["attempt"] == [1, 1, 1, 3]
    assert columns["user_id"] == ["u"] * 4


def test_the_version_of_the_words_is_kept_where_a_delivery_begins_and_ends() -> None:
    row = _outcome(State.DELIVERED, template_id="sale", template_version=3)
    for table in (ACCEPTED, DELIVERIES, DECISIONS):
        columns = dict(zip(table.names, table.fill([row]), strict=True))
        assert (columns["template_id"], columns["template_version"]) == (["sale"], [3])


def _erasures(*records: Record) -> tuple[list[Erasure], int]:
    filled = fill("profiles", records)
    return list(filled.rows[ERASURES]), filled.skipped


def test_a_tombstone_is_an_erasure_at_its_time() -> None:
    assert _erasures(_record(b"")._replace(key=b"ada")) == ([Erasure("ada", MS - 1000, False)], 0)


def test_who_registers_is_told_from_who_changes() -> None:
    new = Profile("ada", created_at=AT - timedelta(hours=2), version=2)
    known = Profile("bob", created_at=AT - timedelta(days=2), version=9)
    undated = Profile("cy", version=1)
    records = [_record(encode(each))._replace(key=b"x") for each in (new, known, undated)]
    assert _erasures(*records) == ([Erasure("ada", MS - 2 * 3_600_000, True)], 0)


def test_a_delivery_fills_its_columns() -> None:
    row = _outcome(
        State.DELIVERED, provider="fcm", provider_message_id="m", reason="r", attempt=10**9
    )
    columns = dict(zip(DELIVERIES.names, DELIVERIES.fill([row]), strict=True))
    assert columns["state"] == ["delivered"]
    assert columns["at"] == columns["accepted_at"] == [MS]
    assert columns["attempt"] == [65_535]
    assert columns["message_id"] == ["m"]


def test_requests_come_single_or_in_batches_and_a_bad_one_spoils_only_itself() -> None:
    good = NotificationRequest("n1", "u", "SALE_OFFER", accepted_at=AT)
    batch = b'{"requests":[%s,{"notification_id":"n2"}]}' % encode(good)
    filled = fill("notification.requests", [_record(encode(good)), _record(batch), _record(b"{")])
    row = Request("n1", "u", "SALE_OFFER", MS, MS, "notification.requests", 2, 7)
    assert filled.rows[REQUESTS] == [row, row]
    assert filled.skipped == 2


def test_a_request_without_a_time_was_accepted_when_kafka_took_it() -> None:
    filled = fill("notification.requests", [_record(encode(NotificationRequest("n", "u", "T")))])
    assert filled.rows[REQUESTS][0].accepted_at == MS - 1000


def test_a_request_for_later_is_due_later() -> None:
    request = NotificationRequest("n", "u", "T", accepted_at=AT, send_at=AT + timedelta(hours=1))
    filled = fill("notification.requests", [_record(encode(request))])
    assert filled.rows[REQUESTS][0].due_at == MS + 3_600_000


def test_a_challenge_is_a_request_of_type_otp() -> None:
    challenge = OtpChallenge("c", "u", Channel.SMS, "login", expires_at=AT, accepted_at=AT)
    filled = fill("notification.otp", [_record(encode(challenge))])
    assert filled.rows[REQUESTS] == [Request("c", "u", "OTP", MS, MS, "notification.otp", 2, 7)]


def test_the_other_topics_fill_one_table_each() -> None:
    click = Engagement("e", "click", "n", "u", AT, bot=True, bot_reason="scanner")
    stock = InventoryChange("s", "sku", AT, delta=-(2**53))
    letter = DeadLetter("t", 1, 2, "Invalid", "why", "eA==", AT, notification_id="n")
    found = {
        ENGAGEMENT: fill("engagement.events", [_record(encode(click))]),
        INVENTORY: fill("inventory.changes", [_record(encode(stock))]),
        DEAD_LETTERS: fill("notification.dead", [_record(encode(letter))]),
    }
    for table, filled in found.items():
        assert all(len(column) == 1 for column in table.fill(filled.rows[table]))
    absurd = InventoryChange("s", "sku", AT, delta=-(10**30))
    columns = dict(zip(INVENTORY.names, INVENTORY.fill([absurd]), strict=True))
    assert columns["delta"] == [-(2**63 - 1)]
    assert columns["available"] == [None]
    assert columns["product_id"] == [""]


@pytest.mark.parametrize(
    "topic",
    ["notification.requests", "notification.otp", "delivery.outcomes", "engagement.events",
     "inventory.changes", "notification.dead", "profiles"],
)  # fmt: skip
@pytest.mark.parametrize("value", [b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_what_cannot_be_read_is_counted_and_left_out(topic: str, value: bytes) -> None:
    filled = fill(topic, [_record(value)])
    assert filled.skipped == 1
    assert not any(filled.rows.values())


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (AT, MS),
        (AT + timedelta(microseconds=500), MS),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), EARLIEST_MS),
        (datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=12))), LATEST_MS),
    ],
)
def test_times_are_milliseconds_within_what_clickhouse_shows(at: datetime, expected: int) -> None:
    assert milliseconds(at) in (expected, expected + 1)


def test_nothing_ends_before_it_begins() -> None:
    assert TABLES.index(REQUESTS) < TABLES.index(ACCEPTED) < TABLES.index(DELIVERIES)
