"""Text messages on the air: what fits into how many parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.sandbox.segments import segments
from tocsin.templates.sms import measure, outside_gsm


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        # 153 is odd: the 77th extended character does not fit into the first part's last septet
        ("€" * 153, "GSM-7", 306, 3),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("a" * 151 + "€" + "a" * 153, "GSM-7", 306, 2),
        ("ж" * 70, "UCS-2", 70, 1),
        ("ж" * 71, "UCS-2", 71, 2),
        ("ж" * 134, "UCS-2", 134, 2),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        # and so is 67: an emoji never lies half in one part
        ("😀" * 67, "UCS-2", 134, 3),
        ("ж" * 66 + "😀" + "ж" * 66, "UCS-2", 134, 3),
        ("ж" * 65 + "😀" + "ж" * 67, "UCS-2", 134, 2),
        ("שלום " * 14, "UCS-2", 70, 1),
        ("it’s", "UCS-2", 4, 1),
    ],
)
def test_measures(text: str, encoding: str, units: int, parts: int) -> None:
    assert measure(text) == (encoding, units, parts)


def test_who_is_to_blame_for_half_the_room_is_named() -> None:
    assert outside_gsm("it’s 😀 and ’ again €") == ["’", "😀"]


@given(st.text(max_size=700))
def test_never_fewer_parts_than_the_units_need_and_at_most_a_lost_unit_each(text: str) -> None:
    measured = measure(text)
    assert segments(text) <= measured.parts <= 1 + segments(text) * 153 // 152


@given(st.text(alphabet="abc @ñ", max_size=700) | st.text(alphabet="жшщ שלום", max_size=300))
def test_it_agrees_with_a_carriers_count_where_every_character_is_one_unit(text: str) -> None:
    assert measure(text).parts == segments(text)
