"""`python -m tocsin.cli.enter FOLDER MODULE [ARG…]`: become a process of a system in containers.

What `tocsin up` hands to the processes it starts lies in FOLDER, which the containers share:
secrets, made at the first start and kept, Ray's token, and where the sandbox is, if there is one.
Whatever is set in the environment wins. MODULE `ray` is a Ray node on loopback.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from tocsin.cli.home import Home
from tocsin.cli.program import module
from tocsin.cli.vault import secrets_of
from tocsin.engines import ray
from tocsin.errors import ConfigError

RAY_PORT: Final = 6380
_USAGE: Final = "usage: python -m tocsin.cli.enter FOLDER MODULE [ARG…]"


def environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What a process of the system is to have in its environment. Makes the secrets, in a folder
    that only its owner reads. Raises `ConfigError`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made: {error.strerror}") from None
    kept = secrets_of(Home(folder), environ)
    ours = {name: value for name, value in kept.items() if name.startswith("TOCSIN_")}
    return {**ours, **_sandbox(folder), **ray.environment(folder), **environ}


def _sandbox(folder: Path) -> dict[str, str]:
    path = folder / "sandbox" / "env.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): delete {path.parent}") from None
    return {name: str(value) for name, value in found.items()}


def argv(folder: Path, name: str, arguments: Sequence[str]) -> list[str]:
    """The command."""
    if name == "ray":
        return [*ray.command(RAY_PORT, folder), *arguments]
    return list(module(name, *arguments))


def main(given: Sequence[str]) -> NoReturn:
    """Becomes it, or exits with 2."""
    if len(given) < 2:
        _refuse(_USAGE)
    folder, name, arguments = Path(given[0]), given[1], given[2:]
    try:
        variables = environment(folder, os.environ)
    except ConfigError as error:
        _refuse(f"tocsin {name}: {error}")
    command = argv(folder, name, arguments)
    sys.stdout.flush()
    os.execve(command[0], command, variables)  # noqa: S606


def _refuse(why: str) -> NoReturn:
    print(why, file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
