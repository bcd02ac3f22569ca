"""The commands: errors are one line with a next step, and what others carry out is handed on."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from typer.testing import CliRunner

from tocsin.cli import pass_on as pass_on_module
from tocsin.cli.home import Home, write_private
from tocsin.cli.main import app
from tocsin.cli.readiness import said_ready, starts
from tocsin.cli.status import age
from tocsin.cli.up import normalised

SECRET = "s" * 40


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """A data directory on which this very process is `tocsin up`."""
    home = Home(tmp_path)
    os.close(home.open())
    environment = {"TOCSIN_JWT_SECRET": SECRET, "TOCSIN_KAFKA_URL": "kafka://here:1"}
    write_private(home.state, {"pid": os.getpid(), "environment": environment})
    return tmp_path


def run(*args: object) -> Any:
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.mark.parametrize("command", [["status"], ["token", "--user", "u"], ["audit"]])
def test_without_a_running_system_a_command_says_how_to_get_one(
    command: list[str], tmp_path: Path
) -> None:
    result = run(*command, "--data", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"tocsin: nothing runs on {tmp_path}")
    assert "`tocsin up`" in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_unknown_setting_stops_up_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_KAFKA_ULR", "kafka://x")
    result = run("up", "--data", tmp_path)
    assert result.exit_code == 2
    assert "TOCSIN_KAFKA_ULR is not a setting; did you mean TOCSIN_KAFKA_URL?" in result.stderr
    assert not (tmp_path / "run" / "state.json").exists()


def test_a_token_is_minted_with_the_running_systems_secret(running: Path) -> None:
    result = run("token", "--service", "shop", "--scope", "otp,inbox", "--data", running)
    claims = jwt.decode(result.stdout.strip(), SECRET, algorithms=["HS256"], audience="tocsin")
    assert (claims["sub"], claims["kind"], claims["scope"]) == ("shop", "service", "inbox otp")


def test_the_consoles_address_has_a_token_in_its_fragment(running: Path) -> None:
    result = run("console", "--data", running)
    address, _, token = result.stdout.strip().partition("#token=")
    assert urlsplit(address).path == "/console"
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="tocsin")
    assert claims["kind"] == "service"
    assert {"stats:read", "ops:write", "templates:read"} <= set(claims["scope"].split())
    assert "templates:write" not in claims["scope"]
    assert claims["exp"] - claims["iat"] >= 12 * 3600


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "either --user U or --service S"),
        (["--user", "u", "--service", "s"], "either --user U or --service S"),
        (["--service", "s", "--scope", "nope"], "--scope nope: the scopes are"),
        (["--user", "u", "--scope", "otp"], "a user's token needs none"),
    ],
)
def test_a_wrong_request_for_a_token_is_one_line(args: list[str], says: str, running: Path) -> None:
    result = run("token", *args, "--data", running)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_command_of_another_package_gets_its_arguments_and_the_addresses(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda _, argv, env: called.append((list(argv), env)))
    assert run("dlq", "list", "--limit", 5, "--data", running).exit_code == 0
    ((argv, environ),) = called
    assert argv[2:] == ["-m", "streams.dlq", "list", "--limit", "5"]
    assert environ["TOCSIN_KAFKA_URL"] == "kafka://here:1"


def test_what_the_user_set_wins_over_the_running_system(
    running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_KAFKA_URL", "kafka://mine:1")
    assert pass_on_module.system_environment(running)["TOCSIN_KAFKA_URL"] == "kafka://mine:1"


def test_help_teaches_every_command() -> None:
    result = run("--help")
    for command in ("up", "status", "token", *pass_on_module.MODULES):
        assert f" {command} " in result.stdout


def test_settings_in_small_letters_are_seen_as_settings() -> None:
    assert normalised({"tocsin_kafka_url": "x", "home": "y"}) == {
        "TOCSIN_KAFKA_URL": "x", "home": "y",
    }  # fmt: skip


def test_a_ready_file_counts_for_its_writer_and_who_leads_it(tmp_path: Path) -> None:
    path = tmp_path / "api.ready"
    path.write_text(f'{{"pid": {os.getpid()}}}')
    assert said_ready(path, os.getpid())
    assert said_ready(path, os.getppid())
    assert not said_ready(path, 2**22 + 1)
    path.write_text("{")
    assert not said_ready(path, os.getpid())


def test_starts_are_counted_in_all_and_lately(tmp_path: Path) -> None:
    (tmp_path / "api.starts").write_text("1.0 10\n99999999999.0 11\n")
    assert starts(tmp_path, "api") == 2
    assert starts(tmp_path, "api", within=60) == 1
    assert starts(tmp_path, "none") == 0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(8, "8 s"), (65, "1 min"), (3_700, "1 h 1 min"), (100_000, "1 d 3 h"), (-1, "0 s")],
)
def test_ages_have_two_units_at_most(seconds: float, said: str) -> None:
    assert age(seconds) == said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOCSIN_REDIS_URL", "bogus"),
        ("TOCSIN_REDIS_URL", "redis://h:port"),
        ("TOCSIN_CLICKHOUSE_URL", "http://h:1"),
        ("TOCSIN_CLICKHOUSE_URL", "clickhouse://h:99999/"),
    ],
)
def test_an_engines_url_that_is_none_is_one_line_naming_it(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    result = run("up", "--data", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"tocsin: {name}: ")
