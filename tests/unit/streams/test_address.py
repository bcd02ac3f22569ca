"""A broadcast's requests: what a plain encoder would write, in records that everybody can read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.address import MOST, Address, notification_id
from streams.rules import load_rules
from tocsin.kafka import partition_for
from tocsin.records import (
    Audience,
    Broadcast,
    Channel,
    NotificationRequest,
    Priority,
    Strategy,
    split_requests,
)
from tocsin.topics import MAX_RECORD_BYTES

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PARTITIONS = 4
RULES = load_rules()


def broadcast(**more: Any) -> Broadcast:
    made: dict[str, Any] = {
        "broadcast_id": "b1", "audience": Audience(topic="news"), "type": "NEWSLETTER",
        "accepted_at": NOW,
    }  # fmt: skip
    return Broadcast(**made | more)


def addressed(what: Broadcast, users: list[str]) -> list[tuple[int, bytes]]:
    address = Address(what, RULES, PARTITIONS)
    full = [each for user in users if (each := address.to(user))]
    return [*full, *address.rest()]


def requests(values: list[tuple[int, bytes]]) -> list[tuple[int, NotificationRequest]]:
    found = [(p, r) for p, value in values for r in split_requests(value)]
    return [(p, r) for p, r in found if isinstance(r, NotificationRequest)]


@given(st.lists(st.text(min_size=1, max_size=128), max_size=600, unique=True))
def test_everybody_is_addressed_once_where_their_requests_go(users: list[str]) -> None:
    values = addressed(broadcast(data={"offer": "20 %"}), users)
    found = requests(values)
    assert sorted(r.user_id for _, r in found) == sorted(users)
    assert all(p == partition_for(r.user_id, PARTITIONS) for p, r in found)
    assert all(r.notification_id == notification_id("b1", r.user_id) for _, r in found)
    assert all(len(split_requests(value)) <= MOST for _, value in values)


def test_a_request_carries_what_the_broadcast_says() -> None:
    said: dict[str, Any] = {
        "data": {"b": 'é"\n'}, "channels": (Channel.PUSH,), "priority": Priority.HIGH,
        "strategy": Strategy.FIRST, "template_id": "T", "template_version": 3, "category": "news",
        "collapse_key": "c", "expires_at": NOW + timedelta(days=2),
    }  # fmt: skip
    ((_, found),) = requests(addressed(broadcast(**said), ["ada"]))
    assert found == NotificationRequest(
        notification_id=notification_id("b1", "ada"), user_id="ada", type="NEWSLETTER",
        accepted_at=NOW, broadcast_id="b1", **said,
    )  # fmt: skip


def test_a_lifetime_runs_from_when_the_broadcast_was_to_begin() -> None:
    lifetime, later = RULES.of("NEWSLETTER").lifetime, NOW + timedelta(days=9)
    ((_, ahead),) = requests(addressed(broadcast(send_at=later), ["ada"]))
    ((_, at_once),) = requests(addressed(broadcast(), ["ada"]))
    assert (ahead.expires_at, ahead.send_at) == (later + lifetime, None)
    assert at_once.expires_at is None


@pytest.mark.parametrize("size", [10, 10_000, 400_000, 940_000])
def test_no_record_is_too_large_to_be_read(size: int) -> None:
    users = ["\x01" * 120 + str(i) for i in range(700)] if size < 20_000 else ["a", "b", "c", "d"]
    what = broadcast(data={"body": "x" * size})
    values = addressed(what, users)
    assert max(len(value) for _, value in values) <= MAX_RECORD_BYTES
    assert len(requests(values)) == len(users)


def test_the_order_of_those_addressed_makes_no_difference_to_their_ids() -> None:
    one = {r.user_id: r.notification_id for _, r in requests(addressed(broadcast(), ["a", "b"]))}
    two = {r.user_id: r.notification_id for _, r in requests(addressed(broadcast(), ["b", "a"]))}
    assert one == two
