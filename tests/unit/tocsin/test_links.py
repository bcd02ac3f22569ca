"""Links that prove themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import Invalid
from tocsin.links import Unsubscribe, seal, unseal

PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(PLAIN, PLAIN, PLAIN)
def test_what_is_sealed_is_read_back(user: str, category: str, channel: str) -> None:
    what = Unsubscribe(user, category, channel)
    token = seal("secret", what)
    assert unseal("secret", token) == what
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@given(st.text(max_size=80))
def test_nothing_else_is_a_link(token: str) -> None:
    with pytest.raises(Invalid):
        unseal("secret", token)


def test_another_secret_or_a_changed_letter_is_refused() -> None:
    token = seal("secret", Unsubscribe("u1", "promotional", "email"))
    for secret, text in (("other", token), ("secret", token[:-2] + "AA"), ("secret", token + "A")):
        with pytest.raises(Invalid):
            unseal(secret, text)
