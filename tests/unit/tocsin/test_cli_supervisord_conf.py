"""The generated configuration, as supervisord's own parser reads it."""

import shlex
from pathlib import Path

import pytest
from supervisor.options import UnhosedConfigParser

from tocsin.cli.home import Home
from tocsin.cli.program import Program, Wave
from tocsin.cli.supervisord_conf import render
from tocsin.errors import ConfigError

SERVICE = Program("api", ("/bin/x", "--a b", "100%"), Wave.API, stop_seconds=7)
ONCE = Program("migrate", ("/bin/y",), Wave.SCHEMA, once=True)
ENGINE = Program("broker", ("/bin/z",), Wave.ENGINES, restart=False, family=True)


def parsed(root: Path = Path("/data")) -> UnhosedConfigParser:
    parser = UnhosedConfigParser()
    home = Home(root)
    parser.read_string(render([SERVICE, ONCE, ENGINE], home, home.run / "s"))
    return parser


def test_a_service_is_restarted_and_given_time_to_finish() -> None:
    options = dict(parsed().items("program:api"))
    assert options["autorestart"] == "true"
    assert options["stopwaitsecs"] == "7"
    assert options["autostart"] == "false"
    assert options["stdout_logfile"] == "/data/log/api.log"


def test_the_command_survives_quoting_behind_the_leash() -> None:
    command = dict(parsed().items("program:api"))["command"].replace("%%", "%")
    argv = shlex.split(command)
    assert argv[argv.index("--") + 1 :] == list(SERVICE.argv)
    assert argv[argv.index("--") - 1] == "/data/run/state.json"
    family = shlex.split(dict(parsed().items("program:broker"))["command"])
    assert "--family" in family[: family.index("--")]


def test_a_one_off_and_the_broker_are_not_started_again() -> None:
    for name in ("migrate", "broker"):
        options = dict(parsed().items(f"program:{name}"))
        assert (options["autorestart"], options["startretries"]) == ("false", "0")


def test_supervisord_itself_would_stop_later_waves_first() -> None:
    parser = parsed()
    priority = {g: int(dict(parser.items(f"group:{g}"))["priority"]) for g in ("engines", "api")}
    assert priority["api"] > priority["engines"]
    assert dict(parser.items("group:api"))["programs"] == "api"


def test_no_server_but_a_private_socket() -> None:
    parser = parsed()
    assert not parser.has_section("inet_http_server")
    assert dict(parser.items("unix_http_server"))["chmod"] == "0700"


def test_a_directory_supervisord_would_read_as_a_comment_is_refused() -> None:
    with pytest.raises(ConfigError, match="--data"):
        parsed(Path("/my ;data"))
