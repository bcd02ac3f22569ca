"""While it runs: the logs' alarms, who was restarted, the numbers, and the embedded broker."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from tocsin.cli.logs import Follower, tail
from tocsin.cli.progress import ProgressMeter
from tocsin.cli.readiness import starts
from tocsin.cli.screen import Screen
from tocsin.cli.session import Session
from tocsin.settings import Settings

EVERY: Final = 1.0
"""Seconds between looks."""

TOO_OFTEN: Final = 3
"""Starts within a minute that mean: it keeps dying."""


class Watch:
    """Looks once a second until cancelled. `fresh_log` is called when the embedded broker died.

    Raises `SupervisorGone` when supervisord itself was killed.
    """

    def __init__(
        self,
        session: Session,
        screen: Screen,
        settings: Settings,
        fresh_log: Callable[[], Awaitable[None]],
    ) -> None:
        self._session, self._screen, self._fresh_log = session, screen, fresh_log
        self._meter = ProgressMeter(settings)
        self._logs = Follower(session.home.log)
        self._pids: dict[str, int] = {}
        self._complained: dict[str, float] = {}
        self.doing = "serving"

    async def run(self) -> None:
        """Watch for ever."""
        try:
            while True:
                self._screen.lines(self._logs.new())
                await self._processes()
                self._screen.show(await self._meter.look(), self.doing)
                await asyncio.sleep(EVERY)
        finally:
            await self._meter.close()

    async def _processes(self) -> None:
        statuses = self._session.statuses()
        broker = statuses.get("broker")
        if broker and not broker.up:
            await self._fresh_log()
            self._pids.clear()
            return
        for name, status in statuses.items():
            before = self._pids.get(name)
            if status.pid and before and before != status.pid:
                self._restarted(name, before, status.pid)
            if status.pid:
                self._pids[name] = status.pid

    def _restarted(self, name: str, before: int, now: int) -> None:
        self._screen.warn(f"{name} (pid {before}) ended and was started again (pid {now})")
        times = starts(self._session.home.run, name, within=60)
        quiet_since = self._complained.get(name, float("-inf"))
        if times >= TOO_OFTEN and time.monotonic() - quiet_since > 60:
            self._complained[name] = time.monotonic()
            log = self._session.home.log_of(name)
            self._screen.keeps_dying(name, times, tail(log, 10), str(log))
