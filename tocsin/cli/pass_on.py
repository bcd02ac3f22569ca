"""Commands that other packages carry out: found, given the running system's addresses, exec'd."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tocsin.cli.home import Home, read_state
from tocsin.cli.layout import ENGINE_SETTINGS
from tocsin.cli.program import module
from tocsin.errors import ConfigError

MODULES: Final[Mapping[str, str]] = {
    "replay": "loadtest.replay",
    "audit": "analytics.audit",
    "sql": "analytics.sql",
    "dlq": "streams.dlq",
    "rebuild": "streams.rebuild",
    "whatif": "streams.whatif_command",
}


def pass_on(command: str, arguments: Sequence[str], data: Path) -> None:
    """Become `python -m <module> arguments…`. Raises `ConfigError` when nothing runs here."""
    name = MODULES[command]
    if find_spec(name.partition(".")[0]) is None:
        raise ConfigError(f"`tocsin {command}` needs the package of {name}, not installed here")
    asks_help = "--help" in arguments or "-h" in arguments
    environment = {**os.environ, **({} if asks_help else system_environment(data))}
    argv = module(name, *arguments)
    sys.stdout.flush()
    os.execve(argv[0], argv, environment)  # noqa: S606


def system_environment(data: Path) -> dict[str, str]:
    """The running system's settings under what the user set; of a distributed one, only the latter.

    Raises `ConfigError` when neither says where the system is.
    """
    state = read_state(Home(data))
    given = {k: v for k, v in os.environ.items() if k.startswith("TOCSIN_")}
    if state:
        return {**state["environment"], **given}
    if not any(key in given for key in ENGINE_SETTINGS.values()):
        raise ConfigError(
            f"nothing runs on {data.absolute()}: start it with `tocsin up`, name its directory "
            "with --data, or set TOCSIN_KAFKA_URL, TOCSIN_REDIS_URL and TOCSIN_CLICKHOUSE_URL"
        )
    return given
