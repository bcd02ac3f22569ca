"""What a process answers over HTTP: /metrics, /livez, /readyz. A WSGI application."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import make_wsgi_app

from tocsin.observability.progress import Progress, verdict

_TEXT: Final = ("Content-Type", "text/plain; charset=utf-8")


def pages(progress: Progress, log_answers: Callable[[], bool]) -> WSGIApplication:
    """The application. It runs in threads of its own, so it answers while the event loop does not.

    /livez: 503 with what stands still, if anything does: the process is to be started again.
    /readyz: 503 until the process said that it serves. Every other path: the metrics.
    """
    metrics: WSGIApplication = make_wsgi_app()

    def livez() -> tuple[bool, str]:
        return verdict(progress.late(), log_answers)

    def readyz() -> tuple[bool, str]:
        return (True, "ok\n") if progress.serving else (False, "starting\n")

    probes = {"/livez": livez, "/readyz": readyz}

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        probe = probes.get(environ.get("PATH_INFO", ""))
        if probe is None:
            return metrics(environ, start)
        good, text = probe()
        status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        start(f"{status.value} {status.phrase}", [_TEXT])
        return [text.encode()]

    return application
