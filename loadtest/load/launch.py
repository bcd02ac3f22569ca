"""From a plan to a verdict: the system, the people, the load, the report."""

import asyncio
import os
import resource
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from loadtest.judge.gates import Gates
from loadtest.load import begin, finish, prepare
from loadtest.load import target as targets
from loadtest.load.deeds import Deed, Trouble
from loadtest.load.drive import Drive
from loadtest.load.locusts import Locusts
from loadtest.load.run_dir import RunDir
from loadtest.load.screen import Screen
from loadtest.load.shapes import Plan
from tocsin.errors import Invalid
from tocsin.settings import Settings

console = Console()


class Launch:
    """A load that is about to be made."""

    def __init__(
        self, plan: Plan, seed: int, workers: int, doing: Sequence[Deed], web: int, elsewhere: bool
    ) -> None:
        self._plan, self._seed, self._workers = plan, seed, workers
        self._doing, self._web, self._elsewhere = doing, web, elsewhere
        self._name = prepare.new_run()

    def main(
        self, out: Path | None, data: Path | None, target: str, allow_remote: bool,
        bounds: Gates,
    ) -> int:  # fmt: skip
        """Everything in turn; the exit code."""
        run_dir = _made(out or Path("load") / self._name)
        self._announce(run_dir, target)
        _open_many_files()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with (
            _directory(data, target) as place,
            targets.running(target, place, allow_remote) as (settings, ours),
        ):
            self._check_faults(settings)
            self._prepare(run_dir, settings)
            run = begin.read(run_dir.path)
            locusts = Locusts(run_dir, run, os.environ, self._web, self._elsewhere)
            with Screen(console, self._plan.seconds) as screen:
                nights = self._plan.nights_over
                drive = Drive(run_dir, settings, ours, locusts, self._doing, nights, screen)
                asyncio.run(drive.run())
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            return finish.judge(run_dir, bounds, console)

    def _check_faults(self, settings: Settings) -> None:
        if settings.sandbox_url or not any(isinstance(deed, Trouble) for deed in self._doing):
            return
        raise Invalid("fault", "there is no sandbox there whose providers could fail")

    def _announce(self, run_dir: RunDir, target: str) -> None:
        plan = self._plan
        console.print(
            f"{plan.shape}: {plan.notifications:,} notifications to {plan.people:,} people in "
            f"{plan.seconds:g} s, at most {plan.peak:,.0f} a second\n"
            f"files: {run_dir.path}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        if not target:
            console.print("starting a system of its own (half a minute) …")
        if self._web:
            console.print(f"Locust's page, while it lasts: http://127.0.0.1:{self._web}")

    def _prepare(self, run_dir: RunDir, settings: Settings) -> None:
        name, plan = self._name, self._plan
        url = settings.public_url
        begin.keep(run_dir, begin.described(plan, name, self._seed, url, self._workers))
        with console.status("registering people …") as status:
            prepare.register(
                settings, name, plan,
                lambda done: status.update(f"registering people: {done:,} of {plan.people:,}"),
            )  # fmt: skip
        prepare.write_people(run_dir, name, plan)


def _made(path: Path) -> RunDir:
    """The run's directory. Raises `Invalid` where it cannot be, or has a run already."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid("out", f"{path}: {error.strerror}") from None
    if RunDir(path).run.exists():
        raise Invalid("out", f"{path} has a run already; name another, or leave it out")
    return RunDir(path)


@contextmanager
def _directory(data: Path | None, target: str) -> Iterator[Path]:
    """Where the system's data are, or where a running one's state may be found."""
    if data or target:
        yield data or Path(".tocsin")
        return
    with tempfile.TemporaryDirectory(prefix="tocsin-load-") as temporary:
        yield Path(temporary) / "data"


def _open_many_files() -> None:
    """Each shopper has a socket here; processes started from here inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
