"""The parts that are measured alone: their figures reach the report, their failures are told."""

import json
import sys

import pytest

from loadtest.bench import parts
from tests.unit.loadtest.test_bench_sockets import figures
from tocsin.errors import EngineUnavailable

ROUTER = {
    "one channel": {
        "requests": 100, "deliveries": 200, "us_per_request": 20.04, "us_per_delivery": 10.02,
        "stages_us_per_request": {"read": 1.5, "encode": 0.25},
    }
}  # fmt: skip
FAN_OUT = {
    "people": 200_000, "per_second": 54_000, "bar_per_second": 20_000, "passed": True,
    "cpu_us_per_person": 13.25, "rss_mb_peak": 89.6,
}  # fmt: skip


def test_the_figures_are_lines_of_the_table() -> None:
    assert list(parts.rows(ROUTER, FAN_OUT)) == [
        (
            "the router alone, one channel",
            "20.0 µs of CPU per request, 10.0 per delivery (read 1.5 · encode 0.2)",
        ),
        (
            "a broadcast to 200,000 people",
            "54,000 people/s (bar 20,000: passed), 13.2 µs of CPU a person, worker at most 90 MB",
        ),
    ]
    assert len(list(parts.rows(ROUTER, None))) == 1
    lines = list(parts.rows(ROUTER, None, figures() | {"bars": {"a bar": False}}))
    assert lines[1][0] == "19,900 idle"
    assert lines[-1] == ("a bar", "MISSED")


def test_a_bench_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineUnavailable, match=r"streams\.bench_route does not answer"):
        parts.router()


def test_the_router_is_asked_for_json(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def output(*argv: str) -> bytes:
        asked.append(argv)
        return json.dumps(ROUTER).encode()

    monkeypatch.setattr(parts, "_output", output)
    assert parts.router() == ROUTER
    assert asked == [("streams.bench_route", "--json")]
