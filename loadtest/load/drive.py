"""One load from its first call to its verdict: Locust beside, the sampler, the deeds, the end."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from loadtest.bench.journal import Journal
from loadtest.bench.running import Running
from loadtest.load import begin, finish, progress
from loadtest.load.deeds import Deed, Kill
from loadtest.load.locusts import Locusts
from loadtest.load.progress import Silence
from loadtest.load.run_dir import Run, RunDir
from loadtest.load.screen import Screen
from tocsin.errors import EngineUnavailable, TocsinError
from tocsin.settings import Settings

_START_SECONDS: Final = 120.0
_AFTER_NIGHT: Final = 5.0
"""Locust's head start, and a breath for what waited."""

_SLACK: Final = 60.0
"""Seconds after the last call was due by which Locust has to have ended."""


class Drive:
    """`running` is the system if it is ours; `nights_over` seconds after the start nobody has quiet
    hours any more. The run's files tell the rest."""

    def __init__(
        self, run_dir: RunDir, settings: Settings, running: Running | None, locusts: Locusts,
        deeds: Sequence[Deed], nights_over: float, screen: Screen,
    ) -> None:  # fmt: skip
        self._run_dir, self._settings, self._running = run_dir, settings, running
        self._locusts, self._deeds, self._screen = locusts, deeds, screen
        self._nights_over = nights_over
        self._stop = asyncio.Event()
        self._began = time.time()
        self._broken = ""

    async def run(self) -> None:
        """Returns when the run's files are complete, as far as the system let them be."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupted)
        root = self._running.root_pid if self._running else None
        watching = asyncio.create_task(finish.sampler(self._run_dir, self._settings, root).watch())
        try:
            await self._load()
            await self._drain()
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        await self._check()

    async def _load(self) -> None:
        # never later than the first call, or its traces would seem to be another run's
        self._keep(started_at=time.time())
        self._locusts.start()
        doing: asyncio.Task[None] | None = None
        try:
            await self._begun()
            doing = asyncio.create_task(self._do())
            await self._until_over()
        except EngineUnavailable as error:
            self._broken = str(error)
        finally:
            if doing:
                doing.cancel()
                await asyncio.gather(doing, return_exceptions=True)
            await self._locusts.stop()
        self._keep(load_ended_at=time.time(), broken_off=self._broken)
        self._screen.ended(progress.read(self._run_dir), self._broken)

    async def _begun(self) -> None:
        """Locust has started when its first books are there; from then on seconds count."""
        end = time.monotonic() + _START_SECONDS
        while not any(self._run_dir.path.glob("latencies-*.json")):
            if self._locusts.over or self._stop.is_set():
                break
            if time.monotonic() > end:
                where = str(self._run_dir.path / "locust.log")
                raise EngineUnavailable("Locust", where, "it made no call; its log says more")
            await asyncio.sleep(0.1)
        self._began = time.time()

    async def _until_over(self) -> None:
        silence, run = Silence(), self._run
        until = time.monotonic() + run.seconds + _SLACK
        while not self._locusts.over:
            now, seen = time.monotonic(), progress.read(self._run_dir)
            self._screen.show(seen, progress.backlog(self._run_dir))
            if silence.lasts(now, seen.begun, seen.answered):
                self._broken = f"no call was answered for {progress.SILENCE:g} s"
            if self._stop.is_set():
                self._broken = "stopped by hand"
            if now > until:
                self._broken = f"the load had not ended {_SLACK:g} s after its last call was due"
            if self._broken:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 1)

    async def _do(self) -> None:
        """Kills and faults, each at its moment."""
        for deed in self._deeds:
            await asyncio.sleep(max(0.0, self._began + deed.at - time.time()))
            try:
                said = await self._done(deed)
            except (TocsinError, OSError, StopIteration) as error:
                said = f"not done at {deed.at:g} s: {error or type(error).__name__}"
            begin.noted(self._run_dir, said)
            self._screen.say(said)

    async def _done(self, deed: Deed) -> str:
        if isinstance(deed, Kill):
            assert self._running
            pid = await asyncio.to_thread(self._running.pid, deed.name)
            if not pid:
                return f"not done: {deed.name} was not running"
            os.kill(pid, signal.SIGKILL)
            return f"kill -9 {deed.name}"
        async with Journal(self._settings.sandbox_url) as sandbox:
            await sandbox.put("/sandbox/faults", deed.body)
        return f"fault: {deed.provider} answers {deed.status} for {deed.seconds:g} s"

    async def _drain(self) -> None:
        """Until nothing is in flight; another Ctrl-C ends the wait."""
        self._stop.clear()
        self._screen.say("waiting until nothing is in flight …")
        waiting = asyncio.create_task(self._quiet())
        stopped = asyncio.create_task(self._stop.wait())
        shown = asyncio.create_task(self._show_backlog())
        await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (waiting, stopped, shown):
            task.cancel()
        found, *_ = await asyncio.gather(waiting, stopped, shown, return_exceptions=True)
        if found is True:
            self._keep(quiet_at=time.time())
        elif isinstance(found, Exception):
            self._screen.say(f"nobody can tell whether it is quiet: {found}")
        else:
            self._screen.say("it is not quiet: the check tells what is missing")

    async def _quiet(self) -> bool:
        """What was held back for somebody's quiet hours is in flight, too."""
        nights = self._began + self._nights_over + _AFTER_NIGHT
        if self._nights_over and (left := nights - time.time()) > 0 and not self._broken:
            self._screen.say(f"quiet hours that people asked for end in {left:.0f} s")
            await asyncio.sleep(left)
        return await finish.until_quiet(self._settings)

    async def _show_backlog(self) -> None:
        while True:
            await asyncio.sleep(5)
            self._screen.waiting(progress.backlog(self._run_dir))

    async def _check(self) -> None:
        self._screen.say("collecting what arrived, and checking it against what was asked …")
        try:
            await finish.check(self._run_dir, self._settings)
        except TocsinError as error:
            self._screen.say(f"the history cannot be checked: {error}")
            if not self._run.broken_off:
                self._keep(broken_off=f"not checked: {error}")

    @property
    def _run(self) -> Run:
        return begin.read(self._run_dir.path)

    def _keep(self, **changes: object) -> None:
        begin.keep(self._run_dir, replace(self._run, **changes))

    def _interrupted(self) -> None:
        self._screen.say("ending; what is known will be judged (again: without waiting for quiet)")
        self._stop.set()
