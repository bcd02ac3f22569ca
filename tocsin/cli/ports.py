"""Which port each listener gets: the usual one, or a free one when that is taken."""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from tocsin.errors import ConfigError

LOOPBACK: Final = "127.0.0.1"

DEFAULTS: Final[Mapping[str, int]] = {
    "broker": 9092,
    "valkey": 6379,
    "clickhouse": 8123,
    "ray": 6380,
    "api": 8080,
    "ws": 8081,
    "sandbox-tls": 8443,
    "sandbox-http": 8444,
    "sandbox-smtp": 8025,
}

QUIET: Final = range(20_000, 32_000)
"""Where no system gives ports to whoever asks for any, outgoing connections among them (Linux: from
32,768, macOS: from 49,152), and Ray none to its workers."""

_TRIES: Final = 100


def choose(
    wanted: Mapping[str, int],
    fixed: Mapping[str, str],
    is_free: Callable[[int], bool],
    any_free: Callable[[], int],
) -> dict[str, int]:
    """A port per name in `wanted`, all different.

    Those in `fixed` (name to how the user set it, like ``--port``) are not moved: a taken one
    raises `ConfigError` that names who must change. The others fall back to `any_free`.
    """
    chosen: dict[str, int] = {}
    # the fixed ones first, so that no fallback takes a port that was asked for
    for name in sorted(wanted, key=lambda name: name not in fixed):
        port = wanted[name]
        if port in chosen.values() or not is_free(port):
            if name in fixed:
                raise ConfigError(_taken(port, fixed[name]))
            port = _another(any_free, chosen)
        chosen[name] = port
    return {name: chosen[name] for name in wanted}


def _another(any_free: Callable[[], int], chosen: Mapping[str, int]) -> int:
    while (port := any_free()) in chosen.values():
        pass
    return port


def _taken(port: int, how: str) -> str:
    who = owner(port)
    return f"port {port} is taken by {who}: stop it, or choose another with {how}"


def claim(port: int) -> bool:
    """Whether the port is free, and no other `tocsin up` of this user is about to use it.

    The claim, a lock on a file, lasts as long as this process: its descriptor is kept open.
    """
    directory = Path(tempfile.gettempdir()) / f"tocsin-ports-{os.getuid()}"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(directory / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return is_free(port)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    if not is_free(port):
        os.close(lock)
        return False
    return True


def is_free(port: int) -> bool:
    """Whether a listener could be started on loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def any_free() -> int:
    """A port nobody listens on now, and that is nobody else's by chance before it is used."""
    for port in random.sample(QUIET, _TRIES):
        if claim(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def owner(port: int) -> str:
    """Who listens there, as far as this user may know."""
    with suppress(psutil.Error, PermissionError):
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr.port == port
                and connection.pid
            ):
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return "another program"
