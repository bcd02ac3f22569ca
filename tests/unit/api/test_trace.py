"""The path of a notification as its owner sees it: looks, steps, and the letter of a dead one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.status import ChannelStatus, DeadRequest, NotificationStatus, merge
from api.trace import Step, steps_of
from tests.unit.api.test_decisions import NONE, NOW, claim, row
from tocsin.records import State


def look(state: str, seconds: int, channel: str = "push", **more: Any) -> dict[str, Any]:
    return row(channel, state, seconds, part="look", type="", **more)


def merged(*rows: dict[str, Any], claims: list[bytes | None] = NONE) -> NotificationStatus:
    found = merge("n", rows, claims)
    assert found is not None
    return found


def push(*rows: dict[str, Any], claims: list[bytes | None] = NONE) -> ChannelStatus:
    return merged(row("", ""), *rows, claims=claims).channels["push"]


def states(status: ChannelStatus) -> list[str]:
    return [each.state for each in status.trace]


@pytest.mark.parametrize(
    ("trace", "steps"),
    [
        ("", []),
        ("expiry=ok", [("expiry", "ok")]),
        ("a=1;b=2", [("a", "1"), ("b", "2")]),
        ("a=x%3By%3Dz%25", [("a", "x;y=z%")]),
        ("a=b=c", [("a", "b=c")]),
        ("a;b=", [("a", ""), ("b", "")]),
        ("a=%;;b=%zz", [("a", "%"), ("b", "%zz")]),
        ("quiet_hours=bis 7 Uhr früh", [("quiet_hours", "bis 7 Uhr früh")]),
    ],
)
def test_a_trace_is_taken_apart(trace: str, steps: list[tuple[str, str]]) -> None:
    assert steps_of(trace) == tuple(Step(*each) for each in steps)


def test_every_look_is_told_in_the_order_it_was_taken() -> None:
    status = push(
        row("push", "delivered", 9, attempt=2),
        look("retry", 5, reason="429", due_at=NOW.replace(tzinfo=None) + timedelta(seconds=8)),
        look("deferred", 1, trace="quiet_hours=until 07:00", reason="quiet_hours"),
        row("push", "", 3, attempt=0),
        look("accepted", 3, attempt=0, trace="dedupe=first;quiet_hours=no"),
    )
    assert states(status) == ["deferred", "accepted", "retry", "delivered"]
    first, second, third, _ = status.trace
    assert first.steps == (Step("quiet_hours", "until 07:00"),)
    assert [step.step for step in second.steps] == ["dedupe", "quiet_hours"]
    assert (third.reason, third.due_at) == ("429", NOW + timedelta(seconds=8))
    assert status.state == "delivered"


def test_within_a_millisecond_a_delivery_begins_before_it_ends() -> None:
    rows = [row("push", "suppressed", 1), look("deferred", 1), row("push", "", 1)]
    for given in (rows, rows[::-1]):
        assert states(push(*given)) == ["accepted", "deferred", "suppressed"]


def test_an_end_that_was_decided_is_one_look_with_its_steps() -> None:
    status = push(row("push", "suppressed", 1), look("suppressed", 1, trace="opt_out=yes"))
    assert [each.steps for each in status.trace] == [(Step("opt_out", "yes"),)]


def test_what_waits_says_for_what_and_until_when() -> None:
    due = datetime(2026, 11, 23, 7)
    status = push(row("push", "", 1), look("deferred", 1, reason="quiet_hours", due_at=due))
    assert (status.state, status.reason) == ("deferred", "quiet_hours")
    assert status.due_at == due.replace(tzinfo=UTC)
    later = push(row("push", "", 1), look("retry", 2, attempt=1, reason="503"))
    assert (later.state, later.reason, later.attempt) == ("retrying", "503", 1)


def test_a_delivery_woken_waits_no_more() -> None:
    assert push(look("deferred", 1), row("push", "", 2)).state == "accepted"


def test_a_claim_beats_a_look_and_keeps_the_trace() -> None:
    status = push(look("retry", 1), claims=[None, claim("r", 2, State.FAILED), None, None])
    assert (status.state, states(status)) == ("failed", ["retry"])


def test_the_words_are_those_of_the_newest_row_that_names_them() -> None:
    status = push(
        look("deferred", 1, template_id="sale", template_version=3),
        row("push", "delivered", 2, template_id="sale", template_version=4),
        look("retry", 1),
    )
    assert (status.template_id, status.template_version) == ("sale", 4)


def letter(seconds: int, **more: Any) -> dict[str, Any]:
    return row("", "", seconds, part="dead", user_id="", type="", **more)


def test_a_dead_lettered_request_says_why() -> None:
    status = merged(
        letter(1, reason="old", field="a"),
        letter(2, reason="is required", field="data.currency"),
        row("", ""),
    )
    assert status.dead == DeadRequest("is required", "data.currency", NOW + timedelta(seconds=2))
    assert (status.user_id, status.channels) == ("u", {})


def test_one_that_was_put_back_and_routed_is_not_dead() -> None:
    assert merged(letter(1), row("", ""), row("push", "", 3)).dead is None


def test_a_letter_alone_belongs_to_nobody() -> None:
    status = merged(letter(1, reason="why"))
    assert (status.user_id, status.type, status.accepted_at) == (None, None, None)
    assert status.dead is not None


def test_of_whom_was_erased_nobody_is_the_owner() -> None:
    assert merged(row("", "", user_id="")).user_id is None


def received(seconds: int) -> dict[str, Any]:
    return row("push", "acked", seconds, part="receipt", provider="socket", attempt=0)


def test_a_receipt_says_how_it_was_received_and_not_when_it_was_delivered() -> None:
    for seconds in (3, 9):  # it may have been heard before the end was on record
        status = push(row("push", "", 1), row("push", "delivered", 5, attempt=2), received(seconds))
        assert (status.state, status.reason, status.provider) == ("delivered", "acked", "socket")
        assert (status.at, status.attempt) == (NOW + timedelta(seconds=5), 2)
        states = [look.state for look in status.trace]
        assert sorted(states) == ["accepted", "acked", "delivered"]


def test_a_receipt_changes_no_other_end() -> None:
    status = push(row("push", "", 1), received(3), row("push", "expired", 5, reason="too late"))
    assert (status.state, status.reason) == ("expired", "too late")
    assert push(row("push", "", 1), received(3)).state == "delivered"
