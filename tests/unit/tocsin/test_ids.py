"""Identifiers: ordered, derived, and known as ours."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.ids import derived_id, is_marked, marked, new_id


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_a_derived_id_is_a_uuid_and_always_the_same(parts: list[str]) -> None:
    made = derived_id(*parts)
    assert made == derived_id(*parts)
    assert uuid.UUID(made).version == 5


def test_a_marked_id_is_a_uuid_that_is_known_again() -> None:
    for made in (marked(new_id()), marked(derived_id("a", "b"))):
        assert is_marked(made)
        assert str(uuid.UUID(made)) == made
    assert uuid.UUID(marked(new_id())).version == 7


def test_marked_ids_stay_apart_and_in_order() -> None:
    made = [marked(new_id()) for _ in range(2_000)]
    assert len(set(made)) == 2_000
    times = [text[:13] for text in made]
    assert times == sorted(times)


@pytest.mark.parametrize(
    "text", ["", "order-7", "x" * 36, "0" * 36, "01919b6e-0000-7000-8000-0000000000"]
)
def test_what_was_not_marked_is_not_known(text: str) -> None:
    assert not is_marked(text)


@given(st.integers(0, 31), st.sampled_from("0123456789abcdef"))
def test_a_letter_mistyped_is_noticed(place: int, letter: str) -> None:
    made = "01919b6e-0000-7000-8000-00000000" + "0000"
    right = marked(made)
    wrong = right[:place] + letter + right[place + 1 :]
    assert is_marked(wrong) == (wrong == right)
