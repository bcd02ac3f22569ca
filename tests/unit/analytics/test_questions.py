"""Questions by name: what their files say, and what may be said to them."""

import re

import pytest

from analytics.ask import chosen, listing, pairs
from analytics.questions import LONGEST_HOURS, parsed, questions
from tocsin.errors import Invalid

TEXT = """-- What there is.
-- And more of it.
-- hours: UInt32 = 24, how far back
-- price: Float64 = 0.5, of one
SELECT {hours:UInt32}, {price:Float64};
"""


def test_a_file_is_a_question() -> None:
    found = parsed("it", TEXT)
    assert found.about == "What there is. And more of it."
    assert [(p.name, p.type, p.default) for p in found.parameters] == [
        ("hours", "UInt32", 24), ("price", "Float64", 0.5),
    ]  # fmt: skip
    assert found.sql == "SELECT {hours:UInt32}, {price:Float64}"
    assert found.given({"price": "2"}) == {"hours": 24, "price": 2.0}


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"hour": "3"}, "hour", "it has hours, price"), ({"hours": "x"}, "hours", "whole number"),
        ({"hours": "0"}, "hours", "from 1 to"), ({"hours": "99999"}, "hours", "9,504"),
        ({"price": "nan"}, "price", "from 0 to"), ({"price": "-1"}, "price", "from 0 to"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(given: dict[str, str], field: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        parsed("it", TEXT).given(given)
    assert caught.value.field == field
    assert said in caught.value.reason


@pytest.mark.parametrize("name", sorted(questions()))
def test_every_question_declares_what_it_uses(name: str) -> None:
    question = questions()[name]
    used = set(re.findall(r"\{(\w+):(\w+)\}", question.sql))
    assert used == {(p.name, p.type) for p in question.parameters}
    assert question.about.endswith(".")
    assert ";" not in question.sql
    assert name in listing()
    assert all(p.read(str(LONGEST_HOURS)) == LONGEST_HOURS for p in question.parameters)


def test_names_and_pairs_that_are_none() -> None:
    with pytest.raises(Invalid, match="there are bots"):
        chosen("funnels")
    assert pairs(["hours=24", "a=b=c"]) == {"hours": "24", "a": "b=c"}
    with pytest.raises(Invalid, match="name=value"):
        pairs(["24"])
