"""Gates files: what replaces what, and what is refused before a run starts."""

from pathlib import Path

import pytest

from loadtest.judge import gates
from loadtest.judge.gates import begins, bound_for
from tocsin.errors import ConfigError


def refusal(tmp_path: Path, text: str, streams: tuple[str, ...] = ()) -> str:
    file = tmp_path / "gates.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        gates.load(file, streams)
    said = str(raised.value)
    assert said.startswith(f"{file}: ")
    assert "\n" not in said.removesuffix("\n")
    return said.removeprefix(f"{file}: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[faults]\nlost = -1", "faults.lost: expected `int` >= 0"),
        ("[faults]\nlost = 0.5", "faults.lost: expected `int`, got `float`"),
        ("[faults]\nlost = true", "faults.lost: expected `int`, got `bool`"),
        ("[faults]\nlots = 0", "faults.lots: no such class; there are lost, phantom,"),
        ("[faults]\nduplicate = 0", "faults.duplicate: is bounded by [duplicates]"),
        ("[duplicates]\nshare = 2", "duplicates.share: expected `float` <= 1"),
        ("[duplicates]\nshar = 2", "duplicates.shar: no such bound; there are share"),
        ("[duplicates_per_kill]\nsneder = 2", "duplicates_per_kill.sneder: nothing is called so"),
        ("[duplicates_per_kill]\nsender = -2", "duplicates_per_kill.sender: expected `int` >= 0"),
        ("[otp]\narrival_p99_ms = 0", "otp.arrival_p99_ms: expected `float` > 0"),
        ("[otp]\narrival_p99_ms = nan", "otp.arrival_p99_ms: must be a number that is finite"),
        ("[otp]\narrival_p99_ms = '9'", "otp.arrival_p99_ms: expected `float`, got `str`"),
        ("[answer_p99_ms]\nrset = 5", "answer_p99_ms.rset: no stream's name begins so; there are "),
        ("[answer_p99_ms]\nrest = inf", "answer_p99_ms.rest: must be a number that is finite"),
        ("[achieved]\nall = 1.2", "achieved.all: expected `float` <= 1"),
        ("[backlog]\ndrained_s = -3", "backlog.drained_s: expected `float` > 0"),
        ("[memory]\nstores = ['vlakey']", "memory.stores: no part is called 'vlakey'; there are "),
        ("[memory]\nstores = 'valkey'", "memory.stores: expected `array`, got `str`"),
        ("[dispatch]\nbegun = 'all'", "dispatch.begun: expected `float`, got `str`"),
        ("faults = 3", "faults: must be a table"),
        ("[latency]\np99 = 3", "latency: no such table; there are faults, duplicates, "),
        ("[faults", "not TOML: "),
    ],
)
def test_nonsense_is_refused_with_its_key_and_what_is_allowed(
    tmp_path: Path, text: str, said: str
) -> None:
    assert refusal(tmp_path, text).startswith(said)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: No such file"):
        gates.load(tmp_path / "none.toml")


def test_a_stream_that_the_run_does_not_have_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "[answer_p99_ms]\nbatch = 5", streams=("rest", "otp"))
    assert said == "answer_p99_ms.batch: no stream's name begins so; there are otp, rest"


def test_a_file_replaces_only_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "gates.toml"
    file.write_text("[duplicates_per_kill]\nsender-push = 7\n[achieved]\nrest-high = 0.9\n")
    bundled, found = gates.load(), gates.load(file, ("rest-high", "otp"))
    assert found.duplicates_per_kill == {**bundled.duplicates_per_kill, "sender-push": 7}
    assert found.duplicates == bundled.duplicates
    assert found.achieved == {**bundled.achieved, "rest-high": 0.9}
    assert found.faults == bundled.faults


def test_a_stream_is_bounded_by_the_longest_name_of_its_family() -> None:
    bounds = {"rest": 200.0, "rest-high": 50.0}
    assert bound_for("rest", bounds) == 200
    assert bound_for("rest-low", bounds) == 200
    assert bound_for("rest-high-eu", bounds) == 50
    assert bound_for("restock", bounds) is None
    assert not begins("restock", "rest")
