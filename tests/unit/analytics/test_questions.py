"""Questions declare what may be chosen of them, and what is wrong is named."""

import re
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.parameters import MOST_HOURS, PRICES, Parameter, bundled_prices, values
from analytics.questions import DIRECTORY, parsed, question, questions
from analytics.sql import listed, named
from tocsin.errors import ConfigError, Invalid, Refused

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
WANTED = """
    bots busiest_hours conservation cost_by_provider ctr_by_template_version deliverability
    failure_reasons funnel opt_out_rate otp_conversion revenue time_to_click wave_efficiency
"""


def test_every_file_is_a_question_bounded_in_time() -> None:
    assert list(questions()) == WANTED.split() == sorted(p.stem for p in DIRECTORY.iterdir())
    for each in questions().values():
        assert {"hours", "until"} <= {p.name for p in each.parameters}
        assert re.fullmatch(r"[A-Z].+[a-z]\.", each.about)
        assert all(len(line) <= 105 for line in each.sql.splitlines())


@pytest.mark.parametrize("name", WANTED.split())
def test_no_question_has_a_bound_of_its_own(name: str) -> None:
    """The API adds a LIMIT and its settings behind the text."""
    assert not re.search(r"\bLIMIT\b(?! 1 BY)|\bSETTINGS\b|;", question(name).sql)


def test_what_is_not_given_has_a_default() -> None:
    sent = question("deliverability").values({}, NOW)
    assert sent == {"hours": 24, "until": "2026-11-24 12:00:00.000", "channel": "", "least": 1}
    sent = question("opt_out_rate").values({"types": "A, B,"}, NOW)
    assert sent["types"] == ["A", "B"]


@pytest.mark.parametrize(
    ("name", "said", "sent"),
    [
        ("until", "2026-11-22T10:00:00Z", "2026-11-22 10:00:00.000"),
        ("until", "2026-11-22T10:00:00.5+02:00", "2026-11-22 08:00:00.500"),
        ("until", "2026-11-22", "2026-11-22 00:00:00.000"),
        ("hours", "1", 1),
        ("hours", str(MOST_HOURS), MOST_HOURS),
        ("prices", "a:=1,b:+44=0.5", [("a", "", 1.0), ("b", "+44", 0.5)]),
        ("prices", "", []),
    ],
)
def test_parameters_are_read_as_people_write_them(name: str, said: str, sent: Any) -> None:
    assert question("cost_by_provider").values({name: said}, NOW)[name] == sent


@pytest.mark.parametrize(
    ("asked", "name", "said"),
    [
        ("funnel", "hours", "0"),
        ("funnel", "hours", str(MOST_HOURS + 1)),
        ("funnel", "hours", "a day"),
        ("funnel", "hours", "-1"),
        ("funnel", "hours", "٣"),
        ("funnel", "hours", ""),
        ("funnel", "until", "yesterday"),
        ("funnel", "until", "1999-12-31"),
        ("funnel", "until", "9999-12-31T23:59:59-12:00"),
        ("funnel", "type", "A\0B"),
        ("funnel", "type", "A" * 5_000),
        ("funnel", "tpye", "A"),
        ("busiest_hours", "timezone", "Mars/Olympus"),
        ("busiest_hours", "timezone", "../../etc/passwd"),
        ("deliverability", "least", "4294967296"),
        ("cost_by_provider", "prices", "twilio=0.04"),
        ("cost_by_provider", "prices", "twilio:=1e9"),
        ("cost_by_provider", "prices", "twilio:=1,,"),
    ],
)
def test_what_is_wrong_is_named(asked: str, name: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        question(asked).values({name: said}, NOW)
    assert caught.value.field == name


@given(
    st.dictionaries(st.sampled_from(["hours", "until", "type", "most", "x"]), st.text(max_size=30))
)
def test_whatever_is_said_is_sent_or_refused(said: dict[str, str]) -> None:
    assert _checked(said) in {
        ("sent", "hours", "until", "type", "most"), *(("refused", n) for n in said)
    }  # fmt: skip


def _checked(said: dict[str, str]) -> tuple[str, ...]:
    try:
        return ("sent", *question("funnel").values(said, NOW))
    except Invalid as error:
        return ("refused", error.field)


def test_an_unknown_parameter_is_told_the_known_ones() -> None:
    with pytest.raises(Invalid, match="there are hours, until, type"):
        question("funnel").values({"days": "1"}, NOW)


def test_an_unknown_question_is_told_the_known_ones() -> None:
    with pytest.raises(Refused, match=r"there are bots, .*wave_efficiency") as caught:
        question("../totals")
    assert caught.value.code == "not_found"


def test_an_instant_is_of_its_own_offset() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5)))
    when = Parameter("until", "DateTime64(3, 'UTC')", "now", "")
    assert values((when,), {}, there) == {"until": "2026-11-24 12:00:00.000"}


def test_a_file_that_is_not_well_made_says_what_is_wrong() -> None:
    good = "-- About\n-- it. More\n-- of it.\n-- n: UInt32 = 1; a number\nSELECT {n:UInt32}\n"
    made = parsed("q", good)
    assert (made.about, made.detail, made.sql) == ("About it.", "More of it.", "SELECT {n:UInt32}")
    with pytest.raises(ConfigError, match="not those used"):
        parsed("q", good.replace("{n:UInt32}", "1"))
    with pytest.raises(ConfigError, match="known types"):
        parsed("q", good.replace("UInt32", "Int7"))


def test_the_prices_are_examples_and_can_be_read() -> None:
    prices = tomllib.loads(PRICES.read_text())["price"]
    sent = question("cost_by_provider").values({}, NOW)["prices"]
    assert sent == [(p["provider"], p["destination"], p["price"]) for p in prices]
    assert "EXAMPLES" in PRICES.read_text()
    assert bundled_prices() in listed()


def test_promotional_types_are_those_of_the_bundled_rules() -> None:
    rules = tomllib.loads((ROOT / "streams" / "rules.toml").read_text())["types"]
    bundled = sorted(t for t, rule in rules.items() if rule["category"] == "promotional")
    assert question("opt_out_rate").values({}, NOW)["types"] == bundled


def test_the_command_takes_parameters_as_name_and_value() -> None:
    asked = named("funnel", ["hours=48", "type=A=B"], NOW)
    assert (asked.parameters["hours"], asked.parameters["type"]) == (48, "A=B")
    with pytest.raises(Invalid, match="name=value"):
        named("funnel", ["hours"], NOW)
    with pytest.raises(Invalid, match="hours: is given twice"):
        named("funnel", ["hours=1", "hours=2"], NOW)


def test_the_list_says_what_each_is_about_and_takes() -> None:
    said = listed()
    for each in questions().values():
        assert f"{each.name}: {each.about}" in said
    assert "--param timezone=UTC   whose hours, as IANA names it" in said


def test_the_readme_has_every_question() -> None:
    page = (ROOT / "analytics" / "README.md").read_text()
    for name in questions():
        assert f"`{name}`" in page
