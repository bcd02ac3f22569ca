"""What this `tocsin up` runs and where: decided before anything starts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocsin.cli import ports as port_choice
from tocsin.cli.ports import LOOPBACK
from tocsin.cli.vault import CLICKHOUSE_PASSWORD
from tocsin.errors import ConfigError

ENGINE_SETTINGS: Final[Mapping[str, str]] = {
    "broker": "TOCSIN_KAFKA_URL",
    "valkey": "TOCSIN_REDIS_URL",
    "clickhouse": "TOCSIN_CLICKHOUSE_URL",
    "ray": "TOCSIN_RAY_ADDRESS",
}
"""The setting which, set in the environment, replaces the embedded engine."""

CLICKHOUSE_USER: Final = "tocsin"


@dataclass(frozen=True)
class Layout:
    """The ports of all that is started here, by name as in `ports.DEFAULTS`; `moved` are those of
    them whose usual port was taken."""

    ports: Mapping[str, int]
    moved: tuple[str, ...]
    external: frozenset[str]
    sandbox: bool


def plan(
    environ: Mapping[str, str],
    port: int | None,
    sandbox: bool,
    is_free: Callable[[int], bool] = port_choice.claim,
    any_free: Callable[[], int] = port_choice.any_free,
) -> Layout:
    """Choose ports. Raises `ConfigError` when one that was asked for is taken."""
    external = frozenset(name for name, key in ENGINE_SETTINGS.items() if environ.get(key))
    wanted = dict(port_choice.DEFAULTS)
    fixed = {}
    for name, key in (("api", "TOCSIN_PORT"), ("ws", "TOCSIN_WS_PORT")):
        if environ.get(key):
            wanted[name], fixed[name] = _port(key, environ[key]), key
    if port is not None:
        wanted["api"], fixed["api"] = port, "--port"
    for name in [*external, *([] if sandbox else [n for n in wanted if n.startswith("sandbox")])]:
        del wanted[name]
    ports = port_choice.choose(wanted, fixed, is_free, any_free)
    moved = tuple(name for name in ports if ports[name] != wanted[name])
    return Layout(ports, moved, external, sandbox)


def _port(key: str, text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise ConfigError(f"{key}: {text!r} is not a port (1 to 65535)")
    return int(text)


def environment(
    layout: Layout, data_dir: Path, environ: Mapping[str, str], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Every TOCSIN_ variable of the processes: what the user set, and where things are."""
    at = {name: f"{LOOPBACK}:{port}" for name, port in layout.ports.items()}
    password = secrets[CLICKHOUSE_PASSWORD]
    embedded = {
        "broker": f"kafka://{at.get('broker')}",
        "valkey": f"redis://{at.get('valkey')}/0",
        "clickhouse": f"clickhouse://{CLICKHOUSE_USER}:{password}@{at.get('clickhouse')}/tocsin",
        "ray": at.get("ray", ""),
    }
    made = {key: embedded[name] for name, key in ENGINE_SETTINGS.items() if name in layout.ports}
    made |= {
        "TOCSIN_DATA_DIR": str(data_dir),
        "TOCSIN_PORT": str(layout.ports["api"]),
        "TOCSIN_WS_PORT": str(layout.ports["ws"]),
        "TOCSIN_JWT_SECRET": secrets["TOCSIN_JWT_SECRET"],
        "TOCSIN_OTP_SECRET": secrets["TOCSIN_OTP_SECRET"],
    }
    given = {name: value for name, value in environ.items() if name.startswith("TOCSIN_")}
    public = {"TOCSIN_PUBLIC_URL": f"http://{at['api']}"}
    return {**public, **given, **made}
