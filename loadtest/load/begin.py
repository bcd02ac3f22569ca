"""`run.json`: what a load is, before its first call, and what is added to it on the way."""

import time
from pathlib import Path

import msgspec
from msgspec.structs import replace

from loadtest.load.run_dir import Run, RunDir
from loadtest.load.shapes import Plan


def described(plan: Plan, run: str, seed: int, target: str, workers: int) -> Run:
    """The run as it is meant."""
    return Run(
        run=run, shape=plan.shape, scale=plan.scale, seconds=plan.seconds, seed=seed,
        target=target, people=plan.people, started_at=time.time(), workers=workers,
        streams={flow.stream: flow.calls for flow in plan.flows},
    )  # fmt: skip


def keep(run_dir: RunDir, run: Run) -> Run:
    """Write it, whole or not at all; itself."""
    fresh = run_dir.run.with_suffix(".tmp")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(run)))
    fresh.replace(run_dir.run)
    return run


def read(path: Path) -> Run:
    """The run kept at `path`."""
    return msgspec.json.decode(RunDir(path).run.read_bytes(), type=Run)


def noted(run_dir: RunDir, what: str) -> Run:
    """Add an event of now."""
    run = read(run_dir.path)
    return keep(run_dir, replace(run, events=[*run.events, (time.time(), what)]))
