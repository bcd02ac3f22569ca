"""What probes are answered."""

from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from tocsin.observability.pages import pages
from tocsin.observability.progress import Progress


class Asked:
    """One request to the application."""

    def __init__(self, progress: Progress, path: str, kafka: bool = True) -> None:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ["PATH_INFO"] = path
        body = pages(progress, lambda: kafka)(environ, self._start)
        self.text = b"".join(body).decode()

    def _start(self, status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        self.status, self.headers = int(status.split()[0]), dict(headers)


@pytest.fixture
def stuck() -> Progress:
    clock = iter(range(0, 1_000, 100))
    progress = Progress(lambda: float(next(clock)))
    progress.part("consumer of x", 50, needs_log=True)
    return progress


def test_who_moves_is_alive_and_who_said_so_is_ready() -> None:
    progress = Progress()
    assert (Asked(progress, "/livez").status, Asked(progress, "/livez").text) == (200, "ok\n")
    assert Asked(progress, "/readyz").status == 503
    progress.serving = True
    assert Asked(progress, "/readyz").status == 200


def test_who_stands_still_is_not_alive_and_says_what(stuck: Progress) -> None:
    asked = Asked(stuck, "/livez")
    assert asked.status == 503
    assert asked.text.startswith("consumer of x: no progress for")


def test_who_waits_for_kafka_is_alive(stuck: Progress) -> None:
    assert Asked(stuck, "/livez", kafka=False).status == 200


def test_every_other_path_has_the_metrics() -> None:
    asked = Asked(Progress(), "/metrics")
    assert asked.status == 200
    assert "# HELP tocsin_consumed_records_total" in asked.text
