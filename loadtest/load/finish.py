"""What other packages do of a run: sample it, wait for quiet, collect, check, judge."""

import asyncio
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from loadtest.check import checker, collect, quiet
from loadtest.judge import gates as bounds
from loadtest.judge import report as reports
from loadtest.judge.__main__ import EXIT, table
from loadtest.judge.gates import Gates
from loadtest.judge.sampler import Sampler
from loadtest.load.run_dir import RunDir
from tocsin.settings import Settings

QUIET_SECONDS: Final = 420.0
"""For what waits at the end: the backlog's own bound, and a minute of quiet hours that began."""


def gates_of(path: Path | None) -> Gates:
    """The bundled gates, with a file's values over them. Raises `ConfigError`."""
    return bounds.load(path)


def sampler(run_dir: RunDir, settings: Settings, root_pid: int | None) -> Sampler:
    """`watch()` samples until it is cancelled."""
    return Sampler(run_dir, settings, root_pid)


async def until_quiet(settings: Settings, seconds: float = QUIET_SECONDS) -> bool:
    """Whether nothing was in flight any more within the time."""
    return await quiet.until_quiet(settings, seconds)


async def check(run_dir: RunDir, settings: Settings) -> None:
    """Collect what came out of it and hold it against what was asked: `verdict.json`."""
    await collect.collect(run_dir, settings, settings.sandbox_url)
    await asyncio.to_thread(checker.check, run_dir)


def judge(run_dir: RunDir, gates: Gates, console: Console) -> int:
    """Write the report, show the gates; the exit code."""
    report = reports.write(run_dir, gates)
    console.print(table(report))
    console.print(Text(report.headline, style="bold"))
    console.print(f"the report: {run_dir.page.resolve().as_uri()}", soft_wrap=True)
    return EXIT[report.verdict]
