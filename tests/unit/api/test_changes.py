"""A merge patch of a person: what it names changes, and nothing beyond what a profile holds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.bodies import UserBody, UserChange
from api.changes import MOST_ATTRIBUTES, MOST_TOPICS, changed, checked_topics
from api.registration import Registration
from tocsin.clock import SystemClock
from tocsin.errors import Invalid
from tocsin.records import Profile, decode, encode

ADA = Profile("ada", name="Ada", topics=("news",), attributes={"tier": "gold", "age": 41.0})
names = st.sampled_from(("tier", "age", "vip"))
values = st.one_of(st.booleans(), st.floats(-9, 9), st.text(max_size=3))


def patched(**body: Any) -> Profile:
    return changed(ADA, decode(UserChange, encode(body)))


def test_what_is_absent_stays() -> None:
    assert patched() is ADA
    assert patched(name="Ada") is ADA
    assert patched(name="Bea").attributes == ADA.attributes


def test_attributes_are_merged_and_null_removes() -> None:
    assert patched(attributes={"vip": True, "age": None}).attributes == {
        "tier": "gold", "vip": True,
    }  # fmt: skip
    assert patched(attributes={"none": None}) is ADA
    assert patched(attributes={}) is ADA
    assert patched(attributes=None).attributes == {}


def test_topics_are_replaced_whole_in_one_order() -> None:
    assert patched(topics=["b", "a", "b"]).topics == ("a", "b")
    assert patched(topics=["news"]) is ADA
    assert patched(topics=None).topics == patched(topics=[]).topics == ()


@given(st.dictionaries(names, st.none() | values), st.dictionaries(names, st.none() | values))
def test_one_patch_after_the_other_is_both_at_once(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    twice = changed(changed(ADA, UserChange(attributes=one)), UserChange(attributes=two))
    assert twice.attributes == changed(ADA, UserChange(attributes=one | two)).attributes


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"attributes": {f"a{i}": i for i in range(MOST_ATTRIBUTES)}}, "attributes"),
        ({"topics": [str(i) for i in range(MOST_TOPICS + 1)]}, "topics"),
        ({"attributes": {"A": 1}}, "attributes"),
        ({"attributes": {"a": [1]}}, "attributes[...]"),
        ({"attributes": {"a": "x" * 201}}, "attributes[...]"),
        ({"topics": ["x" * 129]}, "topics[0]"),
        ({"topics": "news"}, "topics"),
    ],
)
def test_what_no_profile_holds_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        patched(**body)
    assert caught.value.field == field


def test_what_is_let_through_can_be_read_again() -> None:
    full = patched(
        topics=[str(i) for i in range(MOST_TOPICS)],
        attributes={f"a{i}": i for i in range(MOST_ATTRIBUTES - 2)},
    )
    assert decode(Profile, encode(full)) == full
    with pytest.raises(Invalid):
        checked_topics({*full.topics, "one more"}, "")


def test_topics_in_another_order_are_the_same_registration() -> None:
    now = SystemClock().now()
    before = Registration(UserBody("u", topics=("b", "a"), attributes={"vip": True}), now)(None)
    step = Registration(UserBody("u", topics=("a", "b", "a"), attributes={"vip": True}), now)
    assert step(before) is before
