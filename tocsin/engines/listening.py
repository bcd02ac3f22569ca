"""Whose listener is it? A port that answers may be somebody else's."""

from contextlib import suppress

import psutil


def listens(pid: int, port: int) -> bool:
    """Whether the process, or one it started, listens on the TCP port."""
    with suppress(psutil.Error):
        head = psutil.Process(pid)
        return any(_has(process, port) for process in (head, *head.children(recursive=True)))
    return False


def _has(process: psutil.Process, port: int) -> bool:
    with suppress(psutil.Error):
        return any(
            each.status == psutil.CONN_LISTEN and each.laddr.port == port
            for each in process.net_connections("tcp")
        )
    return False
