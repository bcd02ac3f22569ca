"""What cancelling comes to, of what is on record and what the store says."""

import pytest

from api.cancel import answer
from tocsin.errors import Refused
from tocsin.records import CHANNELS, Channel

NONE_LATE = dict.fromkeys(CHANNELS, False)


def test_before_it_is_routed_it_is_cancelled_everywhere() -> None:
    found = answer("n", {}, NONE_LATE, complete=True)
    assert found.state == "cancelled"
    assert dict(found.channels) == dict.fromkeys(map(str, CHANNELS), "cancelled")


def test_on_record_only_its_own_channels_are_named() -> None:
    states = {"push": "accepted", "sms": "delivered", "email": "deferred"}
    found = answer("n", states, NONE_LATE, complete=True)
    assert found.state == "partly"
    assert found.channels == {"push": "cancelled", "sms": "too_late", "email": "cancelled"}


def test_what_a_sender_has_claimed_is_too_late_though_no_book_knows_it() -> None:
    late = NONE_LATE | {Channel.PUSH: True}
    assert answer("n", {}, late, complete=False).channels["push"] == "too_late"
    found = answer("n", {"sms": "accepted"}, late, complete=True)
    assert found.channels == {"push": "too_late", "sms": "cancelled"}


def test_twice_is_once() -> None:
    states = {"push": "cancelled", "sms": "delivered"}
    late = NONE_LATE | {Channel.SMS: True}
    found = answer("n", states, late, complete=True)
    assert found.channels == {"push": "cancelled", "sms": "too_late"}


@pytest.mark.parametrize("state", ["delivered", "failed", "suppressed", "expired"])
def test_when_nothing_was_left_it_is_refused(state: str) -> None:
    with pytest.raises(Refused) as caught:
        answer("n", {"push": state, "sms": "accepted"}, NONE_LATE | {Channel.SMS: True}, True)
    assert caught.value.code == "too_late"
    assert "push, sms" in caught.value.reason


def test_what_is_not_on_record_is_never_refused_for_being_late() -> None:
    found = answer("n", {}, dict.fromkeys(CHANNELS, True), complete=True)
    assert set(found.channels.values()) == {"too_late"}
