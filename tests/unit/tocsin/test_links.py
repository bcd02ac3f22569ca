"""Links that prove themselves: one spelling, one purpose, one secret, and nothing to be read."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tocsin.link_makers import AT, first_kind, sent, token
from tocsin.errors import Invalid, Refused
from tocsin.ids import new_id
from tocsin.links import Purpose, Seals, Sent, Unsubscribe
from tocsin.links.sent import PLACES, TYPES, pack, unpack
from tocsin.links.unsubscribe import open_first_kind
from tocsin.records import CHANNELS, Channel
from tocsin.settings import Settings

SETTINGS = Settings(jwt_secret="s" * 40)
SEALS = Seals(SETTINGS)
TARGET = "/shop?sku=85123A"
TOKEN = token(SETTINGS, Purpose.CLICK, TARGET)

PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=130)
IDS = st.one_of(PLAIN, st.uuids().map(str), st.uuids().map(lambda u: str(u).upper()))
MESSAGES = st.builds(
    Sent,
    IDS,
    IDS,
    st.sampled_from(CHANNELS),
    st.one_of(st.sampled_from(TYPES), PLAIN),
    st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1)).map(
        lambda at: at.replace(tzinfo=AT.tzinfo, microsecond=at.microsecond // 10_000 * 10_000)
    ),
)
TEXTS = st.one_of(PLAIN, st.sampled_from(PLACES), PLAIN.map(lambda t: f"/shop?sku={t}"))


@given(MESSAGES, TEXTS, st.sampled_from(Purpose))
def test_what_is_sealed_is_read_back(what: Sent, text: str, purpose: Purpose) -> None:
    sealed = SEALS.seal(purpose, pack(what, text))
    assert set(sealed) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    found = SEALS.open(purpose, sealed, None)
    assert found.text == text
    assert found.sent._replace(at=what.at) == what
    assert abs(found.sent.at - what.at) <= timedelta(milliseconds=10)


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_any_other_letter_anywhere_is_refused(place: int, letter: str) -> None:
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    if changed == TOKEN:
        return
    with pytest.raises(Refused) as error:
        SEALS.open(Purpose.CLICK, changed, AT)
    assert error.value.code == "not_found"


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_other_byte_is_refused(place: int, bits: int) -> None:
    raw = bytearray(urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4)))
    raw[place % len(raw)] ^= bits
    with pytest.raises(Refused):
        SEALS.open(Purpose.CLICK, urlsafe_b64encode(raw).rstrip(b"=").decode(), AT)


@given(st.text(max_size=200))
def test_nothing_else_is_a_link(text: str) -> None:
    for purpose in Purpose:
        with pytest.raises(Refused):
            SEALS.open(purpose, text, AT)


def spellings(token: str) -> list[str]:
    """Texts that a lenient reader of base64 takes for the same bytes, and other cases of it."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    stray = [
        other for x in letters if (other := token[:-1] + x) != token
        and urlsafe_b64decode(other + "=" * (-len(other) % 4)) == raw
    ]  # fmt: skip
    return [
        *stray, token + "=", token + "==", token + "\n", f" {token}", token[:9] + "\n" + token[9:],
        token.lower(), token.upper(), token.swapcase(), token + "A", token[:-1], token[1:],
        token.replace("-", "+").replace("_", "/") + "=" * (-len(token) % 4),
        f"%{ord(token[0]):x}{token[1:]}",
        token[:4] + "!" + token[4:],
    ]  # fmt: skip


@pytest.mark.parametrize("size", [0, 1, 2])
def test_the_same_bytes_spelled_in_another_way_are_refused(size: int) -> None:
    given = token(SETTINGS, Purpose.CLICK, TARGET + "x" * size)
    SEALS.open(Purpose.CLICK, given, AT)
    for other in spellings(given):
        if other != given:
            with pytest.raises(Refused):
                SEALS.open(Purpose.CLICK, other, AT)


def test_a_token_opens_what_it_was_made_for_and_nothing_else() -> None:
    for purpose in Purpose:
        sealed = token(SETTINGS, purpose, TARGET)
        for other in set(Purpose) - {purpose}:
            with pytest.raises(Refused):
                SEALS.open(other, sealed, AT)


def test_a_secret_before_still_opens_and_a_foreign_one_never_did() -> None:
    changed = Seals(Settings(jwt_secret="n" * 40, link_secrets_old=f"{'x' * 40},{'s' * 40}"))
    assert changed.open(Purpose.CLICK, TOKEN, AT).text == TARGET
    with pytest.raises(Refused):
        Seals(Settings(jwt_secret="n" * 40)).open(Purpose.CLICK, TOKEN, AT)
    assert SEALS.open(Purpose.CLICK, TOKEN, AT) == changed.open(Purpose.CLICK, TOKEN, AT)


def test_it_works_for_so_many_days_and_then_says_that_it_is_too_old() -> None:
    seals = Seals(Settings(jwt_secret="s" * 40, link_days=2))
    at = sent().at
    assert seals.open(Purpose.CLICK, TOKEN, at + timedelta(days=2)).sent == sent()
    with pytest.raises(Refused) as error:
        seals.open(Purpose.CLICK, TOKEN, at + timedelta(days=2, seconds=1))
    assert error.value.code == "link_expired"


def test_whose_it_is_and_where_it_leads_cannot_be_read() -> None:
    what = sent("order-of-ada", "ada@customers.example", type="A_TYPE_OF_OUR_OWN")
    raw = urlsafe_b64decode(token(SETTINGS, Purpose.CLICK, "https://x.example/ada", what) + "==")
    for word in (b"ada", b"x.example", b"TYPE"):
        assert word not in raw


def test_it_is_short_enough_for_a_text_message() -> None:
    what = sent(new_id(), "12583", Channel.SMS, "BACK_IN_STOCK")
    assert len(token(SETTINGS, Purpose.CLICK, "/shop?sku=85123A", what)) <= 72


def test_without_a_secret_nothing_is_sealed_or_opened() -> None:
    seals = Seals(Settings())
    assert not seals.able
    with pytest.raises(Refused):
        seals.open(Purpose.CLICK, TOKEN, AT)


@given(st.binary(max_size=60))
def test_a_payload_that_was_never_packed_is_invalid_and_nothing_worse(payload: bytes) -> None:
    try:
        what, text = unpack(payload)
    except Invalid:
        return
    assert isinstance(what, Sent)
    assert isinstance(text, str)


@given(PLAIN, PLAIN, PLAIN)
def test_the_first_kind_of_unsubscribe_link_is_read_for_ever(
    user: str, category: str, channel: str
) -> None:
    what = Unsubscribe(user, category, channel)
    assert open_first_kind(["newer", "secret"], first_kind("secret", what)) == what


@given(st.text(max_size=80))
def test_nothing_else_is_one_of_the_first_kind(text: str) -> None:
    for secrets in (["secret"], [""], []):
        with pytest.raises(Invalid):
            open_first_kind(secrets, text)


def test_one_of_the_first_kind_with_another_secret_or_letter_is_refused() -> None:
    old = first_kind("secret", Unsubscribe("u1", "promotional", "email"))
    for secret, text in (
        ("other", old), ("secret", old[:-2] + "AA"), ("secret", old + "A"), ("secret", old + "="),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            open_first_kind([secret], text)
