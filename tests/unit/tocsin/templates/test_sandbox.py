"""Hostile words and hostile data: bounded in work and size, and nothing of Python in reach."""

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tocsin.templates.makers import email, filled, push, sms
from tocsin.errors import Permanent
from tocsin.records import Channel, Variable
from tocsin.templates.filters import ALLOWED, TESTS

SMS, EMAIL, PUSH = Channel.SMS, Channel.EMAIL, Channel.PUSH
SECONDS = 2.0
"""Bounds are a few dozen milliseconds; this survives a busy machine."""


def said(body: str, **data: Any) -> str:
    return filled(sms(body), SMS, **data).body


MEGABYTE = "x" * 1_000_000


@pytest.mark.parametrize(
    ("body", "data", "reason"),
    [
        ("{{ a ~ a }}", {"a": MEGABYTE}, "too long"),
        ("{{ a }}{{ a }}", {"a": MEGABYTE}, "too long"),
        ("{% set b = a ~ a %}" + "{% set b = b ~ b %}" * 30 + "{{ b }}", {"a": "x"}, "too long"),
        ("{{ a | replace('x', a) }}", {"a": "x" * 10_000}, "too long"),
        ("{{ a | join(b) }}", {"a": ["x"] * 10_000, "b": "y" * 1_000}, "too long"),
        ("{% for x in a %}{{ b }}{% endfor %}", {"a": [1] * 9_000, "b": "y" * 1_000}, "too long"),
        ("{% for x in a %}{% endfor %}", {"a": [1] * 60_000}, "too much work"),
        (
            "{% for x in a %}{% for y in a %}{% endfor %}{% endfor %}",
            {"a": [1] * 1_000},
            "too much work",
        ),
        ("{% for x in a %}{{ loop.length }}{% endfor %}", {"a": [1] * 90_000}, "too much work"),
        ("{% for x in a %}{% if b | upper %}{% endif %}{% endfor %}",
         {"a": [1] * 100, "b": MEGABYTE}, "too much work"),
        ("{% for x in a %}{% if b in c %}{% endif %}{% endfor %}",
         {"a": [1] * 100, "b": "xy", "c": MEGABYTE}, "too much work"),
        ("{% for x in a %}{% if b == c %}{% endif %}{% endfor %}",
         {"a": [1] * 100, "b": MEGABYTE, "c": MEGABYTE + "y"}, "too much work"),
        ("{{ a | truncate(5) }}" * 20, {"a": MEGABYTE}, "too much work"),
        ("{{ a * b }}", {"a": "x", "b": 10**9}, "TypeError"),
        ("{{ a * a * a }}", {"a": 10**14}, "ValueError"),
        ("{{ a % b }}", {"a": "%1000000000d", "b": 1}, "TypeError"),
        ("{{ a + a }}", {"a": "x"}, "TypeError"),
        ("{{ a + a }}", {"a": [1]}, "TypeError"),
        ("{{ a / b }}", {"a": 1, "b": 0}, "ZeroDivisionError"),
        ("{{ a | round(b) }}", {"a": 1.5, "b": 10**9}, "ValueError"),
        ("{{ a }}", {"a": [1]}, "TypeError"),
        ("{{ a }}", {"a": {"b": 1}}, "TypeError"),
        ("{{ a | upper }}", {"a": ["b"]}, "TypeError"),
        ("{{ a | join }}", {"a": [["b"]]}, "TypeError"),
        ("{% for x in a %}{% endfor %}", {"a": "text"}, "TypeError"),
        ("{{ a }}", {"a": 10**5_000}, "ValueError"),
    ],
)  # fmt: skip
def test_what_would_cost_too_much_fails_soon(body: str, data: dict[str, Any], reason: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(Permanent, match=f"^template error: {reason}$"):
        said(body, **data)
    assert time.perf_counter() - begun < SECONDS


@pytest.mark.parametrize(
    ("body", "data", "name"),
    [
        ("{{ a }}", {}, "a"),
        ("{{ a }}", {"a": None}, "a"),
        ("{{ a.b }}", {"a": {}}, "b"),
        ("{{ a.b.c }}", {"a": {}}, "b"),
        ("{{ a.b }}", {}, "a"),
        ("{{ a.items }}", {"a": {}}, "items"),
        ("{{ a.upper }}", {"a": "text"}, "upper"),
        ("{{ a.append }}", {"a": [1]}, "append"),
        ("{{ a.real }}", {"a": 1}, "real"),
        ("{{ a['__class__'] }}", {"a": "text"}, "__class__"),
        ("{{ a[9] }}", {"a": [1]}, "9"),
        ("{{ a | upper }}", {}, "a"),
        ("{{ a ~ 'x' }}", {}, "a"),
        ("{{ a + 1 }}", {}, "a"),
        ("{{ a == 1 }}", {}, "a"),
        ("{% if a %}{% endif %}", {}, "a"),
        ("{% for x in a %}{% endfor %}", {}, "a"),
        ("{{ a | join }}", {}, "a"),
    ],
)
def test_only_data_is_in_reach_and_what_is_not_there_is_named(
    body: str, data: dict[str, Any], name: str
) -> None:
    with pytest.raises(Permanent, match=f"^missing variable: {name}$"):
        said(body, **data)


@pytest.mark.parametrize(
    ("body", "data", "text"),
    [
        ("{{ a.items }}", {"a": {"items": 3}}, "3"),
        ("{% for x in a.items %}{{ x.n }}{{ ', ' if not loop.last }}{% endfor %}",
         {"a": {"items": [{"n": 1}, {"n": 2}]}}, "1, 2"),
        ("{% for k, v in a | dictsort %}{{ k }}={{ v }};{% endfor %}", {"a": {"b": 1, "a": 2}},
         "a=2;b=1;"),
        ("{% for x in a | sort(attribute='p', reverse=true) %}{{ x.p }}{% endfor %}",
         {"a": [{"p": 1}, {"p": 3}, {"p": 2}]}, "321"),
        ("{{ a | reverse | first }}{{ a | last }}{{ a | length }}", {"a": [1, 2, 3]}, "333"),
        ("{{ a | join(', ') }}", {"a": ["x", 2]}, "x, 2"),
        ("{{ a[:2] | join }}", {"a": ["x", "y", "z"]}, "xy"),
        ("{{ (a + 1) * 2 }}", {"a": 20}, "42"),
        ("{{ a | round(2) }} {{ a | int }}", {"a": 1.239}, "1.24 1"),
        ("{{ a | replace('x', 'yy') | upper }}", {"a": "axb"}, "AYYB"),
        ("{{ a | default('-') }}", {"a": None}, "-"),
        ("{{ 'b' if a in ('x', 'y') else 'c' }}", {"a": "x"}, "b"),
        ("{{ a }}", {"a": "שלום 😀 مرحبا"}, "שלום 😀 مرحبا"),
        ("{{ a.b }}", {"a": {"b": True}}, "True"),
    ],
)  # fmt: skip
def test_what_templates_are_for(body: str, data: dict[str, Any], text: str) -> None:
    assert said(body, **data) == text


def test_ten_thousand_variables_and_a_megabyte_beside_are_no_trouble() -> None:
    many = {f"v{i}": i for i in range(10_000)}
    begun = time.perf_counter()
    assert said("{{ v9999 }}", **many) == "9999"
    assert said("{{ a }}", a="x", b=MEGABYTE) == "x"
    assert len(filled(push("{{ a }}", "{{ a }}"), PUSH, a="x" * 400_000).body) == 1_000
    assert time.perf_counter() - begun < SECONDS


def test_deep_data_is_walked_only_as_far_as_the_words_go() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = {"b": deep}
    with pytest.raises(Permanent, match="TypeError"):
        said("{{ a.b.b }}", a=deep)
    assert said("{% if a.b %}yes{% endif %}", a=deep) == "yes"


def test_one_costly_message_leaves_the_next_its_full_share() -> None:
    with pytest.raises(Permanent):
        said("{% for x in a %}{% endfor %}", a=[1] * 60_000)
    assert said("{% for x in a %}{{ x }}{% endfor %}", a=[1] * 5) == "11111"


@pytest.mark.parametrize(
    "body",
    [
        "{{ a }}", "{{ a | upper }}", "{{ a ~ '<i>' }}", "{{ a | replace('b', 'B') }}",
        "{{ a | title }}", "{{ b | join('<i>') }}", "{{ a | default('x') }}", "{{ a | trim }}",
        "{{ a | truncate(99) }}", "{{ b | first }}", "{{ a | reverse | reverse }}",
    ],
)  # fmt: skip
def test_html_is_escaped_whatever_the_words_do_to_it(body: str) -> None:
    html = filled(email(body), EMAIL, a="<b onclick=x>", b=["<b>", "<b>"]).html
    begin = html.index('padding:24px">') + len('padding:24px">')
    inner = html[begin : html.index("<p", begin)]
    assert "&lt;b" in inner.lower()
    assert "<" not in inner


@given(st.text(max_size=200))
def test_data_never_becomes_markup(text: str) -> None:
    html = filled(email("<p>{{ a }}</p>"), EMAIL, a=text).html
    inner = html[html.index("<p>") + 3 : html.index("</p>")]
    assert not set("<>\"'") & set(inner)


@given(st.text(max_size=100), st.text(max_size=100))
def test_no_data_moves_the_border_between_title_and_body(title: str, body: str) -> None:
    content = filled(push("A{{ a }}", "B{{ b }}"), PUSH, a=title, b=body)
    assert content.title.startswith("A")
    assert content.body.startswith("B")


@given(st.text(alphabet='😀語aأ"\n', max_size=1_500))
def test_a_push_always_fits(body: str) -> None:
    content = filled(push("{{ a }}", "{{ a }}", a=Variable()), PUSH, a=body)
    assert len(content.body.encode()) <= 2_900
    assert len(content.body) <= 1_000
    assert body.strip().startswith(content.body.removesuffix("…"))


_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abk"), inner, max_size=3)
    ),
    max_leaves=6,
)
_ATOMS = st.sampled_from(["a", "b", "a.b", "a[0]", "a[1:]", "1", "0.5", "'x'", "-a", "true"])
_CALLS = st.sampled_from(["", "()", "(1)", "('x')", "(a)", "(b, a)", "(a, b, a)", "(x=1)"])
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: (
        st.builds(lambda e, f, c: f"({e}) | {f}{c}", inner, st.sampled_from([*ALLOWED]), _CALLS)
        | st.builds(lambda e, t, c: f"({e}) is {t}{c}", inner, st.sampled_from([*TESTS]), _CALLS)
        | st.builds(
            lambda e, o, f: f"({e}) {o} ({f})",
            inner,
            st.sampled_from(["+", "-", "*", "/", "//", "%", "~", "==", "<", "in", "and", "or"]),
            inner,
        )
    ),
    max_leaves=4,
)


@given(_EXPRESSIONS, _DATA, _DATA)
def test_nothing_but_a_clear_end_comes_of_any_words_and_data(words: str, a: Any, b: Any) -> None:
    loop = f"{{% for a in b %}}{{{{ {words} }}}}{{% endfor %}}"
    for body in (f"{{{{ {words} }}}}", f"{{% if {words} %}}y{{% endif %}}", loop):
        for version, channel in ((sms(body), SMS), (email(body), EMAIL)):
            with suppress(Permanent):
                filled(version, channel, a=a, b=b)
