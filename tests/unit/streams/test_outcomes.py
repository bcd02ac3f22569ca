"""What a sender says of a delivery is what the books are told."""

from datetime import UTC, datetime

import msgspec

from streams.dispatch import outcome_of
from streams.send_otp import outcomes
from tests.unit.actors.makers import delivery
from tocsin.records import Channel, OtpChallenge, State
from tocsin.store import SendResult

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_where_it_went_and_what_it_said_is_on_record() -> None:
    result = SendResult("n1:push", State.DELIVERED, destination="ios", content_hash=7, data_hash=8)
    made = outcome_of(delivery(), result, NOW)
    assert (made.destination, made.content_hash, made.data_hash) == ("ios", 7, 8)


def test_a_failure_after_the_last_attempt_says_it_too() -> None:
    result = SendResult("n1:push", State.RETRY, "503", destination="ios", content_hash=7)
    made = outcome_of(delivery(), result, NOW, "attempts")
    assert (made.state, made.destination, made.content_hash) == (State.FAILED, "ios", 7)


def test_a_code_says_where_it_went_and_nothing_of_its_words() -> None:
    challenge = OtpChallenge("c1", "u1", Channel.SMS, "login", NOW)
    result = SendResult("c1:sms", State.DELIVERED, provider="twilio", destination="+44770")
    opened, ended = outcomes(challenge, result, NOW, NOW)
    assert (opened.destination, ended.destination) == ("", "+44770")
    assert ended.content_hash == ended.data_hash == 0


def test_a_result_stored_by_an_older_version_can_be_read() -> None:
    old = b'{"delivery_id":"n1:push","state":"delivered","provider":"apns"}'
    read = msgspec.json.decode(old, type=SendResult)
    assert (read.provider, read.destination, read.content_hash) == ("apns", "", 0)
