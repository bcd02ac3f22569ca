"""Dead letters: readable whatever was buried."""

import base64
from typing import Any

from streams.bury import KEPT_BYTES, Bury
from tocsin.errors import Invalid
from tocsin.records import DeadLetter, decode


class Producer:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    async def send_and_wait(self, topic: str, value: bytes, **_: Any) -> None:
        self.values.append(value)


async def _letter(payload: bytes, error: Exception) -> DeadLetter:
    producer = Producer()
    await Bury(producer).one("t", 0, 1, payload, error)
    return decode(DeadLetter, producer.values[0])


async def test_a_payload_is_kept_whole_with_field_and_reason() -> None:
    letter = await _letter(b"{}", Invalid("user_id", "missing"))
    assert base64.b64decode(letter.payload_b64) == b"{}"
    assert (letter.error, letter.field, letter.reason) == ("Invalid", "user_id", "missing")


async def test_of_an_oversize_payload_the_letter_is_still_one_record_and_says_so() -> None:
    letter = await _letter(b"x" * 4_500_000, Invalid("", "too large"))
    assert len(base64.b64decode(letter.payload_b64)) == KEPT_BYTES
    assert "of 4,500,000 bytes are kept" in letter.reason


async def test_the_words_of_a_bug_are_not_kept() -> None:
    letter = await _letter(b"{}", KeyError("+447700900123"))
    assert (letter.error, letter.reason) == ("KeyError", "could not be processed")
