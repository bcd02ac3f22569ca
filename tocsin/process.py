"""What every Tocsin process does the same: settings, logs, signals, readiness, a clean end.

A process is a coroutine `main(settings, stop)`: it calls `ready(...)` once it serves, works until
`stop` is set, finishes what it accepted, and returns.
"""

import asyncio
import ctypes
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import uvloop

from tocsin import logs
from tocsin import settings as settings_module
from tocsin.errors import ConfigError, EngineUnavailable
from tocsin.observability.exporter import exporting
from tocsin.observability.progress import PROGRESS, beat
from tocsin.settings import Settings

Main = Callable[[Settings, asyncio.Event], Awaitable[None]]
_PR_SET_PDEATHSIG = 1
_BULK_NICENESS = 10
_YOUNG = 50_000


def run(name: str, main: Main, *, metrics: bool = True) -> None:
    """Run `main` under uvloop until SIGTERM or SIGINT; exit 2 on a wrong setting, 3 on a missing
    engine, each with one line. The process dies with its parent, so nothing is left behind.

    Its metrics can be read meanwhile; `metrics` false is for what only answers a question.
    """
    die_with_parent(signal.SIGTERM)
    try:
        settings = settings_module.load()
        called = settings.process_name or name
        logs.to_stdout(settings, called)
        with exporting(settings, called) if metrics else nullcontext():
            uvloop.run(_until_stopped(main, settings))
    except ConfigError as error:
        sys.exit(_say(f"tocsin {name}: {error}", 2))
    except EngineUnavailable as error:
        sys.exit(_say(f"tocsin {name}: {error}", 3))


async def _until_stopped(main: Main, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    beating = asyncio.create_task(beat())
    try:
        await main(settings, stop)
    finally:
        beating.cancel()


def _say(line: str, code: int) -> int:
    print(line, file=sys.stderr, flush=True)
    return code


def die_with_parent(number: int) -> None:
    """Ask Linux to send this process `number` when its parent ends, however it ends.

    Survives exec. Elsewhere than on Linux it does nothing, and a killed parent leaves children.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)


def step_back() -> None:
    """Give way to urgent processes on a busy host: for bulk work, never for the OTP path."""
    os.nice(_BULK_NICENESS)


def collect_rarely() -> None:
    """Look for cyclic garbage a hundredth as often, and never again among what is there now.

    Batches make tens of thousands of short-lived records without a cycle; looking through them was
    a quarter of the router's CPU time. For processes that work through batches, once they serve.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)


def ready(settings: Settings, name: str, **facts: Any) -> None:
    """Say that this process serves: a file whose pid the supervisor compares with the live one.

    Where several of a kind run, the supervisor names each (TOCSIN_PROCESS_NAME).
    """
    path = ready_file(settings.data_dir, settings.process_name or name)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"pid": os.getpid(), "at": time.time(), **facts})
    fresh = path.with_suffix(".tmp")
    fresh.write_text(text)
    fresh.replace(path)
    PROGRESS.serving = True


def ready_file(data_dir: Path, name: str) -> Path:
    """Where `ready` writes."""
    return data_dir / "run" / f"{name}.ready"
