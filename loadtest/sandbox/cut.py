"""Cutting a client's connection without an answer.

The HTTP server has no call for that: it says 500 for an application that does not answer. So the
kernel's socket is shut down beneath it, found by the client's port. Streams that share the
HTTP/2 connection lose their answers too, as they do when a real connection is reset.
"""

import os
import socket
from contextlib import suppress


def cut(client: str) -> bool:
    """Shut the connection from `client` ("host:port"); False when there is none such."""
    host, _, port = client.rpartition(":")
    for name in os.listdir("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as connection:
            if connection.getpeername()[:2] == (host, int(port)):
                connection.shutdown(socket.SHUT_RDWR)
                return True
    return False
