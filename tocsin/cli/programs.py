"""The catalogue of processes."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from tocsin.cli.layout import Layout
from tocsin.cli.program import Program, Wave, module
from tocsin.engines import clickhouse, valkey
from tocsin.engines import ray as ray_engine

_REBUILD_SECONDS: Final = 3600
"""A log of some ten million entities can be read meanwhile."""


def programs(layout: Layout, data_dir: Path, stream_workers: int) -> tuple[Program, ...]:
    """Everything `tocsin up` starts, replay aside."""
    return (*_engines(layout, data_dir), *_ours(stream_workers))


def _engines(layout: Layout, data_dir: Path) -> list[Program]:
    made: Mapping[str, Callable[[], Program]] = {
        "broker": lambda: Program(
            "broker", module("tocsin.engines.keep_broker"), Wave.ENGINES, restart=False,
            stop_seconds=60,
        ),
        "valkey": lambda: _valkey(layout.ports["valkey"], data_dir / "valkey"),
        "clickhouse": lambda: _clickhouse(layout.ports["clickhouse"], data_dir / "clickhouse"),
        "ray": lambda: Program(
            "ray", tuple(ray_engine.command(layout.ports["ray"], data_dir)), Wave.ENGINES,
            probe=partial(ray_engine.answers, layout.ports["ray"]),
            port=layout.ports["ray"], family=True,
        ),
    }  # fmt: skip
    found = [made[name]() for name in made if name not in layout.external]
    return [*found, *([_sandbox(layout.ports)] if layout.sandbox else [])]


def _valkey(port: int, directory: Path) -> Program:
    return Program(
        "valkey", tuple(valkey.command(port, directory)), Wave.ENGINES,
        probe=partial(valkey.answers, port), port=port,
    )  # fmt: skip


def _clickhouse(port: int, directory: Path) -> Program:
    return Program(
        "clickhouse", module("analytics.engine", "--port", port, "--path", directory),
        Wave.ENGINES, probe=partial(clickhouse.answers, port), port=port,
    )  # fmt: skip


def _sandbox(ports: Mapping[str, int]) -> Program:
    argv = module(
        "loadtest.sandbox", "--tls-port", ports["sandbox-tls"], "--http-port",
        ports["sandbox-http"], "--smtp-port", ports["sandbox-smtp"],
    )  # fmt: skip
    return Program("sandbox", argv, Wave.ENGINES)


def _ours(stream_workers: int) -> list[Program]:
    streams = [
        Program(f"streams-{n}", module("streams.worker"), Wave.STREAMS, stop_seconds=30)
        for n in range(1, stream_workers + 1)
    ]
    return [
        Program("migrate", module("analytics.migrate"), Wave.SCHEMA, once=True),
        _rebuild(),
        Program("actors", module("actors.supervise"), Wave.ACTORS),
        Program("writer", module("analytics.writer"), Wave.WRITER, stop_seconds=60),
        *streams,
        Program("streams-otp", module("streams.otp_worker"), Wave.STREAMS),
        Program("api", module("api.serve"), Wave.API, family=True),
    ]


def _rebuild() -> Program:
    """Before anybody asks the store: a new one is told that it is, an emptied one restored."""
    return Program(
        "rebuild", module("streams.rebuild", "--if-empty"), Wave.SCHEMA, once=True,
        start_seconds=_REBUILD_SECONDS,
    )  # fmt: skip
