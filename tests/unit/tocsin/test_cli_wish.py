"""What can be known to be wrong before anything starts."""

from pathlib import Path

import pytest

from tocsin.cli.wish import Wish
from tocsin.errors import ConfigError

HERE = Path(__file__)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (Wish(HERE, replay=Path("nope.csv")), "--replay nope.csv: there is no such file"),
        (Wish(HERE, exit_when_done=True), "--exit-when-done needs --replay"),
        (Wish(HERE, replay=HERE, summary=Path("s")), "--summary needs"),
        (
            Wish(HERE, replay=HERE, exit_when_done=True, summary=Path("/no/such/s.json")),
            "its directory does not exist",
        ),
        (Wish(HERE, sandbox=False), "--no-sandbox needs real providers"),
    ],
)
def test_a_wish_that_cannot_be_granted_is_refused(wish: Wish, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        wish.check({})


def test_real_providers_do_without_a_sandbox() -> None:
    Wish(HERE, sandbox=False).check({"TOCSIN_SMTP_URL": "smtp://mail"})


def test_the_replay_gets_its_pace_name_and_report() -> None:
    program = Wish(HERE, replay=HERE, speed=60, run="b").replay_program(Path("/r.json"))
    assert program
    assert program.argv[-7:] == (
        str(HERE), "--speed", "60", "--report", "/r.json", "--run", "b",
    )  # fmt: skip
    assert program.once
    assert Wish(HERE).replay_program(Path("/r.json")) is None
