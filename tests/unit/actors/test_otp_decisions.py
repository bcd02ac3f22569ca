"""The OTP lane's decisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.message import Content, Sent
from actors.otp_lane import TRIES, address_of, delivery_id, ended, message_of, next_wait
from tests.unit.actors.makers import NOW
from tocsin.errors import AddressGone, Ambiguous, Permanent, SendError, Transient
from tocsin.records import Channel, OtpChallenge, Priority, State
from tocsin.store.otp import Deliverable

CHALLENGE = OtpChallenge("c1", "u1", Channel.SMS, "login", NOW)


@pytest.mark.parametrize(
    ("answer", "tries", "wait"),
    [
        (Sent("x", "1"), 0, None),
        (Permanent("x"), 0, None),
        (AddressGone("x"), 0, None),
        (Transient("x"), 0, 0.25),
        (Ambiguous("x"), 1, 1.0),
        (Transient("x", "", 3.0), 0, 3.0),
        (Transient("x", "", 60.0), 0, None),
        (Transient("x"), TRIES - 1, None),
    ],
)
def test_the_same_code_is_tried_again_quickly_and_not_for_long(
    answer: Sent | SendError, tries: int, wait: float | None
) -> None:
    assert next_wait(answer, tries, 0.5) == wait


@given(st.integers(0, TRIES - 2), st.floats(0, 1))
def test_jitter_stays_within_a_fifth(tries: int, chance: float) -> None:
    wait, middle = next_wait(Transient("x"), tries, chance), next_wait(Transient("x"), tries, 0.5)
    assert wait is not None
    assert middle is not None
    assert 0.79 * middle <= wait <= 1.21 * middle


@pytest.mark.parametrize(
    ("channel", "recipient", "address"),
    [
        (Channel.SMS, "+4477", ("sms", "+4477", "")),
        (Channel.EMAIL, "a@b.c", ("email", "a@b.c", "")),
        (Channel.PUSH, "ios:ab:cd", ("ios", "ab:cd", "")),
    ],
)
def test_where_a_code_goes(channel: Channel, recipient: str, address: tuple[str, ...]) -> None:
    assert address_of(Deliverable("123456", recipient, channel)) == address


def test_a_code_is_critical_over_when_the_challenge_is_and_in_no_repr() -> None:
    message = message_of(CHALLENGE, Content("123456 is your code"), address_of(
        Deliverable("123456", "+4477", Channel.SMS)
    ))  # fmt: skip
    assert (
        (message.delivery_id, message.type) == (delivery_id(CHALLENGE), "OTP") == ("c1:sms", "OTP")
    )
    assert message.priority is Priority.CRITICAL
    assert message.expires_at == NOW
    assert "123456" not in repr(message)


def test_every_answer_ends_a_challenge() -> None:
    assert ended("c", Sent("x", "9"), False).state is State.DELIVERED
    lost = ended("c", Ambiguous("cut", "x"), False)
    assert (lost.state, lost.ambiguous) == (State.FAILED, True)
    assert ended("c", Transient("503", "x"), True).ambiguous
