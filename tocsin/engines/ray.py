"""The embedded Ray node: one machine, loopback only, token authentication, no dashboard."""

import os
import secrets
import shutil
import socket
import sys
import sysconfig
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

_LONGEST_TEMP: Final = 43
"""A Unix socket's path has 107 bytes, and Ray's own names under its directory take 64 of them."""


def command(port: int, data_dir: Path) -> list[str]:
    """A head node whose control store listens on 127.0.0.1:`port`. Needs `environment(data_dir)`.

    Actors hold no CPU slots, so the node may have more of them than cores; what they exchange with
    callers is small, so 100 MB of shared memory are plenty.
    """
    return [
        sys.executable, str(Path(sysconfig.get_path("scripts")) / "ray"), "start", "--head",
        "--block", "--port", str(port), "--node-ip-address", "127.0.0.1",
        "--temp-dir", str(_temp_dir(data_dir)), "--num-cpus", str(min(os.cpu_count() or 1, 4)),
        "--object-store-memory", "100000000", "--include-dashboard=false", "--no-monitor",
        "--include-log-monitor=false", "--disable-usage-stats",
    ]  # fmt: skip


def environment(data_dir: Path) -> dict[str, str]:
    """What the node *and every process that talks to it* need in their environment.

    Makes the cluster's token (mode 0600) and removes what crashed sessions left; call it before
    the node is started. A process without this environment cannot connect, and is told so only
    after 20 s.
    """
    directory = data_dir.resolve() / "ray"
    directory.mkdir(parents=True, exist_ok=True)
    token = directory / "token"
    if not token.exists():
        with os.fdopen(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    _sweep(_temp_dir(data_dir))
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_USAGE_STATS_ENABLED": "0",
        # Ray turns 127.0.0.1 into the host's address, and then listens everywhere, but for this:
        # its way to stay on loopback is the one meant for desktop systems
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # per-call bookkeeping for a dashboard that is not there
        "RAY_task_events_report_interval_ms": "0",
        "RAY_enable_metrics_collection": "0",
        # else Ray kills actors when *other* programs fill the machine's memory
        "RAY_memory_monitor_refresh_ms": "0",
        "RAY_DEDUP_LOGS": "0",
        # Ray would put every actor behind all other programs (nice 15), the OTP lane with them;
        # here the bulk processes step back by themselves (tocsin.process.step_back)
        "RAY_worker_niceness": "0",
    }


def answers(port: int) -> bool:
    """Whether the control store accepts connections. The node itself may take seconds more: a
    driver's `ray.init` waits for it."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _temp_dir(data_dir: Path) -> Path:
    """A short directory of this data directory's own."""
    name = f"tocsin-{sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]}"
    path = Path(tempfile.gettempdir()) / name
    return path if len(str(path)) <= _LONGEST_TEMP else Path("/tmp") / name  # noqa: S108


def _sweep(directory: Path) -> None:
    """Remove sessions nobody serves any more: each start makes one of several hundred kB."""
    for session in directory.glob("session_2*"):
        if not _served(session / "sockets" / "raylet"):
            shutil.rmtree(session, ignore_errors=True)


def _served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.connect(str(path))
        return True
    return False
