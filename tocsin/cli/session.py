"""One `tocsin up`: the processes started in waves, watched, and stopped in the reverse order."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tocsin.cli.control import Control, Status, SupervisorGone
from tocsin.cli.home import Home, write_private
from tocsin.cli.leash import become_reaper, end_family
from tocsin.cli.logs import tail
from tocsin.cli.program import Program, Wave
from tocsin.cli.readiness import is_ready, starts
from tocsin.cli.supervisord_conf import render
from tocsin.errors import TocsinError

TRIES: Final = 3
"""Starts after which a process that was never ready is given up."""

_POLL: Final = 0.1
_HURRY_SECONDS: Final = 3.0


class StartFailed(TocsinError):
    """A process did not become ready. `last_words` are the end of its log."""

    def __init__(self, name: str, why: str, log: Path) -> None:
        super().__init__(f"{name} {why}; its log is {log}")
        self.name, self.last_words = name, tail(log, 15)


@dataclass(frozen=True)
class Ready:
    """A process that became ready, and how long that took."""

    program: Program
    seconds: float


Told = Callable[[Ready], None]


class Session:
    """The processes of one data directory. All methods are for one event loop, in one thread."""

    def __init__(self, home: Home, programs: Sequence[Program], lock: int) -> None:
        self.home, self.programs = home, {p.name: p for p in programs}
        self.environment: dict[str, str] = {}
        self.hurry = asyncio.Event()
        self._began = time.time()
        self._lock, self._socket = lock, home.socket()
        self._control = Control(self._socket)
        self._warden: subprocess.Popen[bytes] | None = None

    def publish(self, environment: Mapping[str, str], **facts: Any) -> None:
        """Say what the processes and the other commands are to know, from their next start on."""
        self.environment = dict(environment)
        state = {
            "pid": os.getpid(), "at": self._began, "socket": str(self._socket),
            "environment": self.environment, **facts,
        }  # fmt: skip
        write_private(self.home.state, state)

    async def open(self) -> None:
        """Start supervisord, with nothing running in it. `publish` must have been called."""
        self.home.config.write_text(render(self.programs.values(), self.home, self._socket))
        become_reaper()
        self._warden = self._start_warden()
        end = time.monotonic() + 20
        while not self._socket_answers():
            if self._warden.poll() is not None or time.monotonic() > end:
                raise StartFailed("supervisord", "does not start", self._warden_log())
            await asyncio.sleep(0.05)

    def _start_warden(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "tocsin.cli.warden"]
        with self._warden_log().open("wb") as out:
            # in its own group: the terminal's Ctrl-C is for us, and we stop everything in order
            return subprocess.Popen(
                [*command, str(os.getpid()), str(self.home.config)], process_group=0,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, pass_fds=(self._lock,),
            )  # fmt: skip

    def _warden_log(self) -> Path:
        return self.home.log / "supervisord.out"

    def _socket_answers(self) -> bool:
        try:
            self._control.statuses()
        except SupervisorGone:
            return False
        return True

    def statuses(self) -> dict[str, Status]:
        """Every process. Raises `SupervisorGone` when supervisord died."""
        return self._control.statuses()

    async def start_waves(self, waves: Sequence[Wave], told: Told) -> None:
        """As `start`, for whole waves."""
        await self.start([p for p in self.programs.values() if p.wave in waves], told)

    async def start(self, programs: Iterable[Program], told: Told) -> None:
        """Start these at once; return when all are ready. Raises the first `StartFailed`."""
        try:
            async with asyncio.TaskGroup() as group:
                for program in programs:
                    group.create_task(self._bring_up(program, told))
        except* TocsinError as failures:
            raise failures.exceptions[0] from None

    async def _bring_up(self, program: Program, told: Told) -> None:
        began = time.monotonic()
        tries = starts(self.home.run, program.name)
        self._control.start(program)
        while not await self._is_up(program, tries):
            if time.monotonic() - began > program.start_seconds:
                why = f"was not ready within {program.start_seconds} s"
                raise StartFailed(program.name, why, self.home.log_of(program.name))
            await asyncio.sleep(_POLL)
        told(Ready(program, time.monotonic() - began))

    async def _is_up(self, program: Program, tries: int) -> bool:
        status = self._control.statuses()[program.name]
        log = self.home.log_of(program.name)
        if program.once and status.exited:
            if status.exit_code:
                raise StartFailed(program.name, f"ended with code {status.exit_code}", log)
            return True
        if not status.up:
            raise StartFailed(program.name, "does not start", log)
        if starts(self.home.run, program.name) - tries >= TRIES:
            raise StartFailed(program.name, f"ended {TRIES - 1} times while starting", log)
        return not program.once and await is_ready(program, status.pid, self.home.root)

    def process_environment(self) -> dict[str, str]:
        """The environment of a process that asks the running system something."""
        return {**os.environ, **self.environment}

    def launch(self, program: Program) -> None:
        """Start one without waiting for it."""
        self._control.start(program)

    async def ended(self, program: Program) -> int:
        """Wait for the end of a `once` program; its exit code."""
        while not (status := self._control.statuses()[program.name]).exited:
            if not status.up:
                return 1
            await asyncio.sleep(0.2)
        return status.exit_code

    async def stop_wave(self, wave: Wave) -> None:
        """As `stop`, for a wave."""
        await self.stop([p for p in self.programs.values() if p.wave is wave])

    async def stop(self, programs: Sequence[Program]) -> None:
        """Ask these to finish and return when they have ended, or at once in a hurry."""
        if self._warden is None:
            return
        for program in programs:
            self._control.stop(program)
        while not self.hurry.is_set():
            statuses = self._control.statuses()
            if not any(statuses[program.name].up for program in programs):
                return
            await asyncio.sleep(_POLL)

    async def close(self) -> None:
        """Stop what still runs, supervisord last, and whatever outlived it. Never raises."""
        if self._warden:
            self._ask_shutdown()
            await self._warden_ends()
        await asyncio.to_thread(end_family)
        self.home.state.unlink(missing_ok=True)
        self._socket.unlink(missing_ok=True)
        if self._socket.parent != self.home.run:
            self._socket.parent.rmdir()
        os.close(self._lock)

    def _ask_shutdown(self) -> None:
        try:
            self._control.shutdown()
        except SupervisorGone:
            if self._warden and self._warden.poll() is None:
                self._warden.terminate()

    async def _warden_ends(self) -> None:
        hurried: float | None = None
        while self._warden and self._warden.poll() is None:
            if self.hurry.is_set():
                hurried = hurried or time.monotonic()
                if time.monotonic() - hurried > _HURRY_SECONDS:
                    self._warden.kill()
            await asyncio.sleep(0.05)
