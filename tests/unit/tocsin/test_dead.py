"""The pile of dead letters: each once, in order of time, bounded."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tocsin.dead import Key, Pile, name_of, payload_of, place_of, read_letter
from tocsin.records import DeadLetter, encode

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def letter(offset: int, seconds: float = 0, topic: str = "inventory.changes") -> DeadLetter:
    at = NOW + timedelta(seconds=seconds)
    return DeadLetter(topic, 0, offset, "Invalid", "missing", "e30=", at, "sku")


def back(one: DeadLetter, seconds: float = 60) -> DeadLetter:
    return replace(one, put_back_at=NOW + timedelta(seconds=seconds))


def test_a_copy_that_says_it_was_put_back_stands_for_the_letter() -> None:
    pile = Pile()
    pile.take(letter(1))
    assert pile.open == 1
    pile.take(back(letter(1)))
    pile.take(letter(1, 5))  # read again after a crash, and buried again as it was
    assert (pile.open, [x.put_back_at is None for x in pile.all()]) == (0, [False])
    assert pile.page(10).letters == []
    assert len(pile.page(10, only_open=False).letters) == 1


def test_two_complaints_about_one_record_are_two_letters_of_one_place() -> None:
    pile, one = Pile(), letter(1)
    other = replace(one, field="available")
    pile.take(one)
    pile.take(other)
    assert {x.field for x in pile.at(place_of(one))} == {"sku", "available"}
    assert pile.at("inventory.changes:0:2") == []
    assert name_of(one) != name_of(other)


def test_pages_are_newest_first_and_may_be_of_one_topic() -> None:
    pile = Pile()
    for offset in (3, 1, 2, 0, 4):
        pile.take(letter(offset, offset, "a" if offset % 2 else "b"))
    seen: list[int] = []
    after: Key | None = None
    while True:
        page = pile.page(2, after)
        seen += [x.offset for x in page.letters]
        if (after := page.after) is None:
            break
    assert seen == [4, 3, 2, 1, 0]
    assert [x.offset for x in pile.page(9, topic="a").letters] == [3, 1]


def test_beyond_its_bounds_the_oldest_are_left_out() -> None:
    few = Pile(most=3)
    for offset in range(10):
        few.take(letter(offset, offset))
    assert ([x.offset for x in few.all()], few.open) == ([7, 8, 9], 3)
    assert few.at(place_of(letter(1))) == []
    small = Pile(most_characters=10)
    for offset in range(10):
        small.take(letter(offset, offset))
    assert [x.offset for x in small.all()] == [8, 9]
    small.take(replace(letter(10, 10), payload_b64="x" * 100))
    assert [x.offset for x in small.all()] == [10], "one is always kept"


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 9), st.one_of(st.none(), st.integers(0, 9))),
        max_size=30,
    )
)
def test_whatever_the_order_it_is_consistent(
    taken: list[tuple[int, int, int | None]],
) -> None:
    pile = Pile(most=4)
    for offset, seconds, put_back in taken:
        one = letter(offset, seconds)
        pile.take(one if put_back is None else back(one, put_back))
        letters = pile.all()
        assert len(letters) <= 4
        assert letters == sorted(letters, key=lambda x: x.at)
        assert pile.open == sum(x.put_back_at is None for x in letters)
        assert pile.open == len(pile.page(9).letters)
        assert all(pile.at(place_of(x)) for x in letters)


def test_what_is_not_ours_is_no_letter_and_no_payload() -> None:
    assert read_letter(b"{}") is None
    assert read_letter(None) is None
    assert read_letter(encode(letter(1))) == letter(1)
    assert payload_of(letter(1)) == b"{}"
    assert payload_of(replace(letter(1), payload_b64="é")) is None
