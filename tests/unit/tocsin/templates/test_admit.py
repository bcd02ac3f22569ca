"""A version that may be made can be sent; one that may not says where it is wrong."""

from typing import Any

import pytest

from tests.unit.tocsin.templates.makers import admitted, record
from tocsin.errors import Invalid
from tocsin.records import Variable, Words
from tocsin.records.template import Mail, Note, Sms

X = {"x": Variable()}
OPTIONAL = {"x": Variable(required=False)}


def sms(body: str) -> dict[str, Words]:
    return {"en": Words(sms=Sms(body))}


GOOD: dict[str, Any] = {"variables": X, "locales": sms("{{ x }}")}


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"locales": sms("{{ y }}")}, "locales.en.sms.body",
         "line 1: `y` is not among the variables"),
        ({"locales": {"de": Words(email=Mail("s", "t", "a\n\n{% if %}"))},
          "default_locale": "de"},
         "locales.de.email.html", "line 3: Expected an expression, got 'end of statement block'"),
        ({"locales": {"en": Words(push=Note("{{ x() }}", "b"))}}, "locales.en.push.title",
         "line 1: a call is not allowed here"),
        ({"locales": sms("{{ range(3) }}")}, "locales.en.sms.body",
         "line 1: a call is not allowed here"),
        ({"locales": sms("{% set x = 1 %}{{ x }}")}, "locales.en.sms.body",
         "line 1: `x` has a value already"),
        ({"locales": sms("\n{% for unsubscribe in x %}{% endfor %}")}, "locales.en.sms.body",
         "line 2: `unsubscribe` has a value already"),
        ({"variables": {"shop": Variable()}}, "variables.shop", "is what Tocsin itself fills in"),
        ({"default_locale": "fr"}, "default_locale", "there are no words in 'fr'"),
        ({"locales": {"en": Words()}}, "locales.en", "says nothing on any channel"),
        ({"locales": {"de-AT": Words(sms=Sms("a")), "de_at": Words(sms=Sms("b"))},
          "default_locale": "de-AT"}, "locales.de_at", "is the same as de-AT"),
        ({"sample": {"x": []}}, "sample.x", "is a list, and version 1 of T wants a string"),
        ({"sample": {"y": 1}}, "sample.x",
         "is missing: version 1 of T cannot be filled without it"),
        ({"locales": sms("{{ x.y }}"), "variables": {"x": Variable("object")},
          "sample": {"x": {"z": 1}}}, "locales.en.sms",
         "cannot be filled with the sample: missing variable: y"),
        ({"locales": sms("{{ x }}"), "variables": OPTIONAL}, "locales.en.sms",
         "`x` is not required: say what stands in its place, as {{ x | default('...') }}"),
        ({"locales": sms("{% if x %}{{ x }}{% endif %}"), "variables": OPTIONAL},
         "locales.en.sms",
         "`x` is not required: say what stands in its place, as {{ x | default('...') }}"),
        ({"locales": sms("{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}"),
          "variables": {"x": Variable("list")}, "sample": {"x": [1] * 400}}, "locales.en.sms",
         "cannot be filled with the sample: template error: too much work"),
    ],
)  # fmt: skip
def test_refusals(changes: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        admitted(record(**GOOD | changes))
    assert (caught.value.field, caught.value.reason) == (field, reason)


def test_there_is_a_bound_on_what_is_to_be_compiled() -> None:
    long = {f"l{c}": Words(sms=Sms("{{ x }}" * 6_000)) for c in "abcde"}
    with pytest.raises(Invalid) as caught:
        admitted(record(variables=X, locales=long, default_locale="la"))
    assert caught.value.field == "locales.ld.sms.body"
    assert caught.value.reason.endswith("to more than 20,000")
    plain = {f"l{c}": Words(sms=Sms("x" * 65_000)) for c in "abcde"}
    admitted(record(variables=X, locales=plain, default_locale="la"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"locales": sms("{{ x | default('') }}{% if x is defined %}{{ x }}{% endif %}"),
         "variables": OPTIONAL},
        {"locales": sms("{{ name }} {{ shop }} {{ link }} {{ type_words }} {{ unsubscribe }}")},
        {"locales": sms("{% for a in x %}{{ a.b }}{% endfor %}"),
         "variables": {"x": Variable("list")}},
        {"locales": sms("{{ x.y }}"), "variables": {"x": Variable("object")}},
        {"locales": {"en": Words(email=Mail("s", "t", "{% set action = 'Go' %}<b>{{ x }}</b>"))}},
        {"sample": {"x": "an x"}},
    ],
)  # fmt: skip
def test_what_may_be_made(changes: dict[str, Any]) -> None:
    admitted(record(**GOOD | changes))


def test_a_codes_words_say_the_code_and_want_nothing_else() -> None:
    code = {"code": Variable(), "minutes": Variable("integer")}
    admitted(record(variables=code, locales=sms("{{ code }}, {{ minutes }} min")), "OTP")
    with pytest.raises(Invalid, match="does not say the `code`"):
        admitted(record(variables=code, locales=sms("{{ minutes }}")), "OTP")
    with pytest.raises(Invalid, match="a one-time code brings only"):
        admitted(record(variables=code | X, locales=sms("{{ code }}{{ x }}")), "OTP")
