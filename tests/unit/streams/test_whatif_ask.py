"""What the what-if command is asked: times, preferences, rules; wrong ones are named at once."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.whatif_ask import checked, moment, people_of, read_patch
from streams.whatif_command import app, ask_of
from tocsin.errors import ConfigError, Invalid
from tocsin.settings import Settings

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("1.5 h", NOW - timedelta(minutes=90)),
        ("90s", NOW - timedelta(seconds=90)),
        ("7d", NOW - timedelta(days=7)),
        ("1w", NOW - timedelta(days=7)),
        ("2026-11-24T13:00:00+02:00", NOW - timedelta(hours=1)),
        ("2026-11-24T11:00:00Z", NOW - timedelta(hours=1)),
    ],
)
def test_a_time_is_a_moment_or_an_age(text: str, at: datetime) -> None:
    assert moment("--since", text, NOW) == at


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-24", "2026-11-24T11:00:00", "-2h", "2"])
def test_other_words_for_a_time_are_refused_by_the_options_name(text: str) -> None:
    with pytest.raises(Invalid, match="neither an age such as 2h") as raised:
        moment("--since", text, NOW)
    assert raised.value.field == "--since"


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], ""),
        ({"anna": True}, "anna"),
        ({"anna": {"opted_out": "no"}}, "anna.opted_out"),
        ({"*": {"quiet_hours": {"start": "25:00", "end": "07:00"}}}, "*.quiet_hours.start"),
        ({"*": {"muted": {"promotional": ["fax"]}}}, "*.muted[...][0]"),
        ({"anna": {"quiet": {}}}, "anna.quiet"),
        ({"anna": {"timezone": "Mars/Olympus"}}, "anna.timezone"),
    ],
)
def test_wrong_preferences_are_named_by_person_and_field(document: object, field: str) -> None:
    with pytest.raises(Invalid) as raised:
        checked(document)
    assert raised.value.field == field


def test_right_preferences_pass_and_name_people() -> None:
    patch = checked({"*": {"quiet_hours": None}, "anna": {"timezone": "Europe/Vienna"}})
    assert people_of(patch) == {"anna"}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json: No such file"):
        read_patch(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(ConfigError, match=r"broken\.json: not JSON"):
        read_patch(broken)


def test_rules_to_try_replace_the_shops_own(tmp_path: Path) -> None:
    own, other = tmp_path / "own.toml", tmp_path / "other.toml"
    own.write_text('[categories.promotional]\ncap = {most = 1, per = "P1D"}')
    other.write_text('[types.SALE_OFFER]\nstrategy = "first"')
    settings = Settings(rules_file=own)
    ask = ask_of(settings, other, None, "2h", "1h", 3, NOW)
    assert (ask.since, ask.until) == (NOW - timedelta(hours=2), NOW - timedelta(hours=1))
    assert [rules.caps("promotional")[0][1].most for rules in (ask.now, ask.then)] == [1, 20]
    assert ask.now.fingerprint != ask.then.fingerprint


def test_a_window_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    patch = tmp_path / "patch.json"
    patch.write_text(json.dumps({"*": {"opted_out": True}}))
    with pytest.raises(Invalid, match="is not before"):
        ask_of(Settings(), None, patch, "1h", "2h", 3, NOW)
    ask = ask_of(Settings(), None, patch, "", "", 3, NOW)
    assert ask.until == NOW
    assert ask.since < NOW - timedelta(days=365)
    assert ask.now is ask.then


def test_without_rules_and_preferences_it_says_what_to_give() -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 2
    assert "tocsin whatif: nothing to compare with: give --rules FILE.toml" in result.stderr
