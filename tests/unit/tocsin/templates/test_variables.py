"""Data that does not fit is refused by name, before anything is said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import Invalid
from tocsin.records import Variable
from tocsin.templates.variables import Checks

VALUES: dict[str, Any] = {
    "string": "x", "integer": 7, "number": 1.5, "boolean": True, "list": [1], "object": {"a": 1},
}  # fmt: skip
FITS = {
    "string": {"string", "integer", "number"},
    "integer": {"integer"},
    "number": {"integer", "number"},
    "boolean": {"boolean"},
    "list": {"list"},
    "object": {"object"},
    "any": set(VALUES),
}


@pytest.mark.parametrize("given_type", list(VALUES))
@pytest.mark.parametrize("declared", list(FITS))
def test_each_type_takes_its_own(declared: str, given_type: str) -> None:
    checks = Checks({"it": Variable(declared)})  # type: ignore[arg-type]
    data = {"it": VALUES[given_type]}
    if given_type in FITS[declared]:
        checks(data)
    else:
        with pytest.raises(Invalid, match="wants a") as caught:
            checks(data)
        assert caught.value.field == "data.it"


@pytest.mark.parametrize("data", [{}, {"it": None}, {"other": 1}])
def test_what_is_missing_or_null_is_named(data: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=r"^data.it: is missing \(or that\)"):
        Checks({"it": Variable(aliases=("that",))})(data)
    Checks({"it": Variable(required=False)})(data)


def test_an_alias_stands_in_and_is_named_when_it_is_wrong() -> None:
    checks = Checks({"it": Variable(aliases=("that", "this"))})
    checks({"this": "x"})
    with pytest.raises(Invalid) as caught:
        checks({"it": None, "that": []})
    assert caught.value.field == "data.that"
    variables = {"this": "x", "that": "y"}
    checks.name(variables)
    assert variables["it"] == "y"


@given(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(), max_size=50))
def test_whatever_comes_beside_is_no_trouble(data: dict[str, Any]) -> None:
    Checks({"it": Variable()})({**data, "it": "x"})
