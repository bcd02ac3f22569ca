"""A message is known again by 32 bits, which do not tell a word of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tocsin.templates import Content, content_hash, data_hash

TEXT = Content("Your order 7 is on its way.", "On its way", "<p>Your order 7</p>")


def test_the_hash_is_the_same_in_every_process() -> None:
    assert content_hash(TEXT) == 0x3B9206C8
    assert data_hash({"order": "7", "total": "12.50"}) == 0xB8A11BAA


@pytest.mark.parametrize("field", ["body", "title", "html"])
def test_another_word_is_another_hash(field: str) -> None:
    assert content_hash(replace(TEXT, **{field: "Another"})) != content_hash(TEXT)


def test_a_word_that_moves_from_the_title_to_the_text_is_another_message() -> None:
    assert content_hash(Content("b", "a")) != content_hash(Content("ab", ""))


def _linked(token: str) -> Content:
    link, out = f"https://shop.example/c/{token}", f"https://shop.example/u/{token}"
    return Content(
        f"Look: {link}", "Back", f'<a href="{link}">x</a> <a href="{out}">no</a>', link, out
    )


def test_a_link_that_tells_when_its_message_left_is_the_same_message_when_made_again() -> None:
    assert content_hash(_linked("A" * 60)) == content_hash(_linked("b-_9" * 20))
    other = replace(_linked("A" * 60), body="Look elsewhere")
    assert content_hash(other) != content_hash(_linked("A" * 60))


@given(st.dictionaries(st.text(max_size=5), st.integers(-9, 9) | st.text(max_size=5), max_size=5))
def test_the_order_of_variables_does_not_matter(data: dict[str, Any]) -> None:
    assert data_hash(data) == data_hash(dict(reversed(data.items())))
    assert 0 <= data_hash(data) < 2**32


def test_half_a_character_does_not_stop_a_message() -> None:
    assert content_hash(Content("\ud83d")) < 2**32
