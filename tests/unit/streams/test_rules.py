"""The rules as a shop writes them: laid over the bundled ones, and wrong ones named."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from streams.rules import BUNDLED, load_rules, parsed
from tests.unit.streams.rulebook import rules_with
from tocsin.errors import ConfigError, Invalid
from tocsin.records import Channel, Priority, Strategy


def test_a_shops_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text('[types.SALE_OFFER]\nstrategy = "cascade"\n')
    own, bundled = load_rules(file), load_rules()
    assert own.of("SALE_OFFER").strategy is Strategy.CASCADE
    assert own.of("SALE_OFFER").channels == (Channel.INAPP, Channel.PUSH)
    assert own.of("REVIEW") == bundled.of("REVIEW")
    assert own.fingerprint != bundled.fingerprint


def test_a_type_nobody_named_has_the_rule_of_the_others() -> None:
    assert load_rules().of("SHOPS_OWN").category == "general"


def test_the_same_rules_have_the_same_fingerprint() -> None:
    assert load_rules().fingerprint == load_rules().fingerprint == rules_with().fingerprint


def test_a_cap_over_everything_leaves_out_what_says_so() -> None:
    rules = rules_with(categories={"all": {"cap": {"most": 3, "per": "P1D"}}})
    assert [name for name, _ in rules.caps("promotional")] == ["promotional", "all"]
    assert [name for name, _ in rules.caps("stock")] == ["all"]
    assert rules.caps("transactional") == []


def test_attempts_and_deadlines_are_per_class() -> None:
    tries = load_rules().classes[Priority.LOW]
    assert (tries.attempts, tries.deadline) == (4, timedelta(hours=3))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[types.X]\nchannels = ['fax']\ncategory = 'a'", "types[...].channels[0]"),
        ("[types.X]\ncategory = 'a'", "types[...].channels"),
        ("[types.REVIEW]\nlifetime = 'PT0S'", "`lifetime` must be longer than nothing"),
        ("[types.REVIEW]\nlifetime = 'a while'", "lifetime"),
        ("[types.REVIEW.digest]\nchannels = ['email']", "exactly one of `window` and `at`"),
        ("[types.REVIEW]\ncolour = 'red'", "colour"),
        ("[classes.high]\nattempts = 0", "classes[...].attempts"),
        ("[cascade]\nack = 3", "cascade.ack"),
        ("[types", "not TOML"),
    ],
)
def test_a_wrong_rule_is_one_line_that_names_file_and_place(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_rules(file)
    assert "own.toml" in str(raised.value)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: No such file"):
        load_rules(tmp_path / "gone.toml")


def test_rules_without_others_are_refused() -> None:
    document = tomllib.loads(BUNDLED.read_text())
    del document["types"]["OTHER"]
    with pytest.raises(Invalid, match="OTHER"):
        parsed(document)
