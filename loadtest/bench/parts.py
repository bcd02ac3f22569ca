"""Benches of one part alone, each a process of its own: router, fan-out, a shard's sockets."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from loadtest.bench.sockets import report
from tocsin.errors import EngineUnavailable

_SECONDS: Final = 300


def router() -> dict[str, Any]:
    """`python -m streams.bench_route`: by mix, µs of CPU per request, per delivery, by stage."""
    return dict(json.loads(_output("streams.bench_route", "--json")))


def fan_out(people: int) -> dict[str, Any]:
    """`python -m loadtest.bench.fan_out` for that many people, on engines of its own."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory:
        out = Path(directory) / "fan-out.json"
        _output("loadtest.bench.fan_out", "--people", str(people), "--out", str(out))
        return dict(json.loads(out.read_text()))


def sockets(connections: int) -> dict[str, Any]:
    """`python -m loadtest.bench.sockets` for that many, on a store and a shard of its own."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory:
        out = Path(directory) / "sockets.json"
        _output("loadtest.bench.sockets", "--connections", str(connections), "--out", str(out))
        return dict(json.loads(out.read_text()))


def _output(module: str, *arguments: str) -> bytes:
    """What it printed. Raises `EngineUnavailable` with its last words where it failed."""
    argv = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(argv, capture_output=True, timeout=_SECONDS)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()[-500:]
        raise EngineUnavailable(module, "its own process", f"it said: {words}")
    return done.stdout


def rows(
    router: Mapping[str, Any],
    fan_out: Mapping[str, Any] | None,
    sockets: Mapping[str, Any] | None = None,
) -> Iterator[tuple[str, str]]:
    """Their lines of the report's table."""
    for name, mix in router.items():
        stages = " · ".join(f"{s} {us:.1f}" for s, us in mix["stages_us_per_request"].items())
        yield (
            f"the router alone, {name}",
            f"{mix['us_per_request']:.1f} µs of CPU per request, {mix['us_per_delivery']:.1f} "
            f"per delivery ({stages})",
        )
    if fan_out:
        verdict = "passed" if fan_out["passed"] else "NOT passed"
        yield (
            f"a broadcast to {fan_out['people']:,} people",
            f"{fan_out['per_second']:,} people/s (bar {fan_out['bar_per_second']:,}: {verdict}), "
            f"{fan_out['cpu_us_per_person']:.1f} µs of CPU a person, worker at most "
            f"{fan_out['rss_mb_peak']:.0f} MB",
        )
    if sockets:
        yield from report.lines(sockets)
