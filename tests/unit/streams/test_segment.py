"""Segments: who passes is decided by the value and its type, and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.segment import within
from tocsin.errors import Invalid
from tocsin.records import Audience, Match, Profile, decode, encode
from tocsin.records.profile import Attribute

numbers = st.floats(-1e9, 1e9, allow_nan=False)
attributes = st.one_of(st.booleans(), numbers, st.text(max_size=5))
ordered = st.one_of(numbers, st.text(max_size=5))


def has(value: Attribute | None) -> Profile:
    return Profile("u", attributes={} if value is None else {"a": value})


def passes(value: Attribute | None, *rest: object) -> bool:
    return within(has(value), [Match("a", *rest)])  # type: ignore[arg-type]


@given(st.none() | attributes, attributes)
def test_equal_and_not_equal_are_opposites(value: Attribute | None, wanted: Attribute) -> None:
    assert passes(value, "eq", wanted) is not passes(value, "ne", wanted)


@given(attributes)
def test_everything_equals_itself_also_after_its_journey(value: Attribute) -> None:
    profile = decode(Profile, encode(has(value)))
    match = decode(Match, encode(Match("a", "eq", value)))
    assert within(profile, [match])


@given(st.none() | attributes, st.lists(attributes, min_size=1, max_size=5))
def test_in_is_equal_to_any(value: Attribute | None, wanted: list[Attribute]) -> None:
    assert passes(value, "in", tuple(wanted)) is any(passes(value, "eq", w) for w in wanted)


@given(attributes, ordered)
def test_what_has_an_order_is_on_one_side_or_the_same(value: Attribute, wanted: Attribute) -> None:
    sides = [passes(value, op, wanted) for op in ("lt", "eq", "gt")]
    alike = type(value) is type(wanted)
    assert sum(sides) == alike
    assert passes(value, "lte", wanted) is (sides[0] or sides[1])
    assert passes(value, "gte", wanted) is (sides[2] or sides[1])


@given(attributes)
def test_without_the_attribute_only_its_absence_is_true(wanted: Attribute) -> None:
    assert passes(None, "ne", wanted)
    assert passes(None, "absent")
    assert not passes(None, "present")
    assert not passes(None, "eq", wanted)
    assert not passes(None, "in", (wanted,))
    if not isinstance(wanted, bool):
        assert not any(passes(None, op, wanted) for op in ("lt", "lte", "gt", "gte"))


@given(attributes)
def test_with_the_attribute_it_is_present(value: Attribute) -> None:
    assert passes(value, "present")
    assert not passes(value, "absent")


@pytest.mark.parametrize("value", [True, False])
def test_true_and_false_are_no_numbers(value: bool) -> None:
    number = float(value)
    assert not passes(value, "eq", number)
    assert not passes(number, "eq", value)
    assert passes(value, "ne", number)
    assert not passes(value, "in", (number, "1"))
    assert not any(passes(value, op, number) for op in ("lt", "lte", "gt", "gte"))


def test_whole_numbers_and_fractions_are_numbers() -> None:
    assert passes(3, "eq", 3.0)
    assert passes(2.5, "lt", 3)


@given(st.lists(st.booleans(), max_size=4))
def test_every_match_must_pass_and_no_match_is_everybody(flags: list[bool]) -> None:
    segment = [Match("a", "eq", flag) for flag in flags]
    assert within(has(True), segment) is all(flags)


@pytest.mark.parametrize(
    ("match", "word"),
    [
        (b'{"attribute":"a"}', "takes one `value`"),
        (b'{"attribute":"a","op":"lt","value":true}', "order"),
        (b'{"attribute":"a","op":"eq","value":["x"]}', "takes one `value`"),
        (b'{"attribute":"a","op":"in","value":"x"}', "lists one or more"),
        (b'{"attribute":"a","op":"in","value":[]}', "lists one or more"),
        (b'{"attribute":"a","op":"present","value":1}', "takes no"),
        (b'{"attribute":"a","op":"like","value":"x"}', "like"),
        (b'{"attribute":"A b","value":1}', "regex"),
        (b'{"attribute":"a","value":{"b":1}}', "object"),
    ],
)
def test_a_match_that_makes_no_sense_says_so_and_where(match: bytes, word: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode(Audience, b'{"segment":[{"attribute":"ok","value":1},%b]}' % match)
    assert caught.value.field.startswith("segment[1]")
    assert word in caught.value.reason
