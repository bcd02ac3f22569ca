"""A process's metrics and probes over HTTP (`pages.py`), in threads of their own."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tocsin import kafka_ping
from tocsin.observability import targets
from tocsin.observability.pages import pages
from tocsin.observability.progress import PROGRESS
from tocsin.observability.targets import Target
from tocsin.settings import Settings

log = logging.getLogger(__name__)

PORTS: Final = 100
"""Tried from TOCSIN_METRICS_PORT on: as many processes of ours may be on a host."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A probe a second is no news."""


class Exporter:
    """Serves until closed, and says where. Never the reason why a process does not run: without a
    port or a directory there are no metrics, and a warning."""

    def __init__(self, settings: Settings, process: str) -> None:
        self._settings, self._process = settings, process
        self._server: WSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._target: Target | None = None

    def start(self) -> None:
        """Serve and be a target; again, it changes nothing."""
        if self._server is None:
            self._server = self._listen()
        if self._server and not self._target:
            port = self._server.server_port
            self._target = targets.here(self._process, self._settings.host, port)
            self._announce(self._target)

    def withdraw(self) -> None:
        """Be a target no more; the thread ends with the process."""
        if self._target:
            targets.withdraw(self._settings.data_dir, self._target)
            self._target = None

    def close(self) -> None:
        """Withdraw and serve no more; takes up to half a second."""
        self.withdraw()
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        self._server = self._thread = None

    def _listen(self) -> WSGIServer | None:
        first = self._settings.metrics_port
        wanted = range(first, min(first + PORTS, 65_536)) if first else (0,)
        for port in wanted:
            try:
                return self._serve(port)
            except OSError as error:
                why = error
        log.warning("no metrics: no port of %s: %s", self._settings.host, why)
        return None

    def _serve(self, port: int) -> WSGIServer:
        host = self._settings.host
        kind = _Server6 if ":" in host else _Server
        application = pages(PROGRESS, partial(kafka_ping.answers, self._settings.kafka_servers()))
        server = make_server(host, port, application, kind, _Handler)
        self._thread = threading.Thread(target=server.serve_forever, daemon=True)
        self._thread.start()
        return server

    def _announce(self, target: Target) -> None:
        try:
            targets.forget_dead(self._settings.data_dir)
            targets.announce(self._settings.data_dir, target)
        except OSError as error:
            log.warning("Prometheus is not told of the metrics at %s: %s", target.address, error)


@contextmanager
def exporting(settings: Settings, process: str) -> Iterator[None]:
    """For the life of a process, its metrics can be read."""
    exporter = Exporter(settings, process)
    exporter.start()
    try:
        yield
    finally:
        exporter.withdraw()
