"""Whether a Kafka is there, asked without a client of it: for a thread that has a moment."""

import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

_API_VERSIONS: Final = 18
_CORRELATION: Final = 2_107
_CLIENT: Final = b"tocsin-probe"
_REQUEST: Final = struct.pack(">hhih", _API_VERSIONS, 0, _CORRELATION, len(_CLIENT)) + _CLIENT


def answers(servers: Sequence[str], seconds: float = 2.0) -> bool:
    """Whether any of the `host:port` answers a request of Kafka's protocol, each within `seconds`.
    One that accepts connections and says nothing is not there."""
    return any(_answers(server, seconds) for server in servers)


def _answers(server: str, seconds: float) -> bool:
    host, _, port = server.rpartition(":")
    with (
        suppress(OSError, ValueError),
        socket.create_connection((host.strip("[]"), int(port)), timeout=seconds) as connection,
    ):
        connection.settimeout(seconds)
        connection.sendall(struct.pack(">i", len(_REQUEST)) + _REQUEST)
        head = connection.recv(8, socket.MSG_WAITALL)
        return len(head) == 8 and int(struct.unpack(">i", head[4:])[0]) == _CORRELATION
    return False
