"""What a template may not say, and what it may."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.templates.grammar import Forbidden, read, undeclared

FORBIDDEN = [
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% macro m() %}{% endmacro %}",
    "{% call x() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% set x %}y{% endset %}",
    "{% set x.y = 1 %}",
    "{% set x, y = z %}",
    "{% with x = 1 %}{{ x }}{% endwith %}",
    "{% autoescape false %}{{ x }}{% endautoescape %}",
    "{{ x() }}",
    "{{ x.upper() }}",
    "{{ ''.__class__ }}",
    "{{ x._private }}",
    "{{ _x }}",
    "{{ self }}",
    "{{ super() }}",
    "{{ range(9) }}",
    "{{ lipsum() }}",
    "{{ 9 ** 9 }}",
    "{{ [1, 2] }}",
    "{{ {'a': 1} }}",
    "{{ (1, 2) }}",
    "{{ x | safe }}",
    "{{ x | attr('y') }}",
    "{{ x | format(1) }}",
    "{{ x | map('upper') | join }}",
    "{{ x | center(100000000) }}",
    "{{ x | tojson }}",
    "{{ x | pprint }}",
    "{{ x | nothing_known }}",
    "{{ x | join(*y) }}",
    "{{ x is filter }}",
    "{{ x is callable }}",
    "{{ x in [y] }}",
    "{% for a in [1, 2] %}{% endfor %}",
    "{% for a in range(9) %}{% endfor %}",
    "{% for a in 'abc' %}{% endfor %}",
    "{% for a in x | upper %}{% endfor %}",
    "{% for a in x recursive %}{{ loop(a) }}{% endfor %}",
    "{% for _a in x %}{% endfor %}",
    "{% for a in x %}{% for b in a %}{% for c in b %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in x %}",
    "{% endif %}",
    "{{ x",
    "{# open",
    "{{ 'x }}",
    "{% debug %}",
]

ALLOWED = [
    "",
    "{{ x }}, {{ x.y.z }}, {{ x['y'] }}, {{ x[0] }}, {{ x[:3] | length }}",
    "{# a remark #}{% raw %}{{ x }}{% endraw %}",
    "{% if x %}a{% elif y is defined and y != 'n' %}b{% else %}c{% endif %}",
    "{{ 'a' if x in ('b', 'c') else 'd' }}{{ x not in ['e'] }}",
    "{% set action = 'See it' %}",
    "{% for a in x.list %}{{ loop.index }}{{ a.b }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for k, v in x | dictsort %}{% for w in v %}{{ w }}{% else %}none{% endfor %}{% endfor %}",
    "{% for a in x | sort(attribute='price') if a.n > 1 %}{{ a }}{% endfor %}",
    "{{ x | default('y') | upper | truncate(9) }}{{ x ~ ' ' ~ y }}",
    "{{ (x + 1) * 2 - y / 3 // 4 % 5 }}{{ -x | abs }}{{ x | round(2) }}",
    "{{ x | money('EUR') }}{{ x | join(', ') }}{{ x | replace('a', 'b') }}",
]


@pytest.mark.parametrize("source", FORBIDDEN)
def test_forbidden(source: str) -> None:
    with pytest.raises(Forbidden):
        read(source)


@pytest.mark.parametrize("source", ALLOWED)
def test_allowed(source: str) -> None:
    read(source)


def test_the_line_is_named() -> None:
    with pytest.raises(Forbidden, match=r"^line 3: a call is not allowed here$"):
        read("a\nb\n{{ x() }}")
    with pytest.raises(Forbidden, match=r"^line 2: Unexpected end of template"):
        read("a\n{% if x %}")


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 5_000 + "x" + ")" * 5_000 + " }}",
        "{{ " + "not " * 10_000 + "x }}",
        "{{ x" + ".y" * 30_000 + " }}",
        "{{ x" + "|upper" * 10_000 + " }}",
        "{{ x" + " + x" * 15_000 + " }}",
        "{{ " + "x if x else " * 5_000 + "x }}",
        "{% for a in x" + ".y" * 30_000 + " %}{% endfor %}",
        "{% if x %}" * 3_000 + "{% endif %}" * 3_000,
    ],
    ids=lambda source: source[:12],
)
def test_depth_is_bounded(source: str) -> None:
    with pytest.raises(Forbidden, match="nested too deeply"):
        read(source)


def test_names_from_outside_are_found_with_their_lines() -> None:
    tree = read("{% for a in x %}{{ a }}{% endfor %}\n{% set b = 1 %}{{ b }}\n{{ y }}{{ loop }}")
    assert list(undeclared(tree)) == [("loop", 3), ("x", 1), ("y", 3)]


@given(st.text(alphabet="{}%#()[]|.~+'\" xaif01_\n", max_size=60))
def test_any_text_is_read_or_refused(source: str) -> None:
    with suppress(Forbidden):
        read(source)
