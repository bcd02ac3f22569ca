"""What Locust's command line and page ask for, and what its master tells the workers."""

import time
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadtest.load import shapes
from loadtest.load.begin import described, keep
from loadtest.load.prepare import new_run, register, write_people
from loadtest.load.run_dir import RunDir
from loadtest.load.shapes import Plan
from loadtest.load.swarm.crew import Share
from tocsin.settings import Settings

_HEAD_START: Final = 2.0
"""Seconds from the word to begin to the first call, in which every worker hears it."""


def add(parser: Any) -> None:
    """Locust's own `--help` and page show these; environment variables name them in a cluster."""
    parser.add_argument(
        "--shape", choices=list(shapes.SHAPES), default="day", env_var="LOAD_SHAPE",
        help="; ".join(f"{name}: {shape.about}" for name, shape in shapes.SHAPES.items()),
    )  # fmt: skip
    parser.add_argument(
        "--scale", default="", env_var="LOAD_SCALE", help="Share of the full 16 M day, as 0.02"
    )
    parser.add_argument("--seconds", default="", env_var="LOAD_SECONDS", help="How long it lasts")
    parser.add_argument("--seed", type=int, default=1, env_var="LOAD_SEED", help="Of all chance")
    parser.add_argument(
        "--load-dir", default="", env_var="LOAD_DIR", include_in_web_ui=False,
        help="Where the run's files go (default: load/<run>)",
    )  # fmt: skip
    parser.add_argument(
        "--load-run", default="", env_var="LOAD_RUN", include_in_web_ui=False,
        help="The name of a run whose people are registered; none: they are, first",
    )  # fmt: skip
    parser.add_argument(
        "--quit-when-done", action="store_true", env_var="LOAD_QUIT", include_in_web_ui=False,
        help="End Locust with the load",
    )  # fmt: skip
    for name in ("--load-workers", "--load-start"):
        parser.add_argument(
            name, type=float, default=0, include_in_web_ui=False, help="The master's"
        )


def planned(options: Namespace, workers: int) -> Plan:
    """Raises `Invalid`."""
    scale, seconds = (float(text) if text else None for text in (options.scale, options.seconds))
    return shapes.plan(options.shape, scale, seconds, workers)


def settle(environment: Environment, settings: Settings) -> None:
    """On the master, or in the only process: what each worker has to know. Who came without a run
    has its people registered first. Raises `Invalid`, `EngineUnavailable`, `Refused`."""
    options, runner = environment.parsed_options, environment.runner
    workers = runner.worker_count if isinstance(runner, MasterRunner) else 1
    plan = planned(options, workers)
    options.load_workers = workers
    if not options.load_run:
        _prepare(options, settings, plan, workers)
    options.load_start = time.time() + _HEAD_START


def _prepare(options: Namespace, settings: Settings, plan: Plan, workers: int) -> None:
    run = new_run()
    folder = Path(options.load_dir or "load") / run
    folder.mkdir(parents=True, exist_ok=True)
    register(settings, run, plan)
    write_people(RunDir(folder), run, plan)
    keep(RunDir(folder), described(plan, run, options.seed, settings.public_url, workers))
    options.load_run, options.load_dir = run, str(folder)


def share(environment: Environment) -> Share:
    """This worker's part, as the master has settled it."""
    options, runner = environment.parsed_options, environment.runner
    workers = int(options.load_workers)
    folder = Path(options.load_dir)
    folder.mkdir(parents=True, exist_ok=True)
    worker = runner.worker_index % workers if isinstance(runner, WorkerRunner) else 0
    plan = planned(options, workers)
    return Share(plan, options.load_run, options.seed, worker, workers, options.load_start, folder)
