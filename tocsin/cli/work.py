"""What `tocsin up` does once everything is up: serve, replay, and finish when asked to."""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any, Final

from tocsin.cli.logs import tail
from tocsin.cli.program import Program, module
from tocsin.cli.quiesce import quiet
from tocsin.cli.screen import Screen
from tocsin.cli.session import Session, StartFailed
from tocsin.cli.summary import ended, merge, tables, write
from tocsin.cli.watch import Watch
from tocsin.cli.wish import Wish
from tocsin.errors import TocsinError
from tocsin.settings import Settings

REFUSED: Final = 1
"""The replay's exit code when the system refused something; beyond it, it could not go on."""


class QueryFailed(TocsinError):
    """A question to ClickHouse through one of analytics' commands was not answered."""


class Work:
    """Runs until cancelled, or until the replay and all it caused is done (`exit_when_done`)."""

    def __init__(
        self,
        wish: Wish,
        session: Session,
        screen: Screen,
        settings: Settings,
        replay: Program | None,
        watch: Watch,
    ) -> None:
        self._wish, self._session, self._screen, self._settings = wish, session, screen, settings
        self._replay, self._watch = replay, watch

    async def run(self) -> int:
        """The exit code."""
        with self._screen.watching():
            watching = asyncio.create_task(self._watch.run())
            job = asyncio.create_task(self._job())
            try:
                await asyncio.wait((watching, job), return_when=asyncio.FIRST_COMPLETED)
                if watching.done():
                    watching.result()
                code, summary = await job
            finally:
                for task in (watching, job):
                    task.cancel()
                await asyncio.gather(watching, job, return_exceptions=True)
        self._screen.console.print(tables(summary))
        return code

    async def _job(self) -> tuple[int, dict[str, Any]]:
        code, before = 0, await self._ended() if self._wish.exit_when_done else 0
        began = asyncio.get_running_loop().time()
        if self._replay:
            code = await self._play(self._replay)
        if not self._wish.exit_when_done:
            await asyncio.Event().wait()
        self._watch.doing = "waiting for the last outcomes"
        done = await quiet(self._settings, self._in_flight)
        return await self._conclude(code, done - began, before)

    async def _play(self, replay: Program) -> int:
        self._session.launch(replay)
        log = self._session.home.log_of(replay.name)
        telling = asyncio.create_task(self._tell(replay.name))
        try:
            code = await self._session.ended(replay)
        finally:
            telling.cancel()
        if code > REFUSED:
            raise StartFailed(replay.name, f"ended with code {code}", log)
        if code:
            self._screen.warn(f"the system refused some of the replay: see {log}")
        self._screen.say("the replay is over; all of it is in Kafka")
        self._watch.doing = "serving"
        return code

    async def _tell(self, name: str) -> None:
        """The replay's own last line, kept as what is being done."""
        while True:
            for line in tail(self._session.home.log_of(name), 1):
                if line.startswith("replay:"):
                    self._watch.doing = line
            await asyncio.sleep(1)

    async def _ended(self) -> int:
        return ended(await self._ask("analytics.summary", "--json"))

    async def _in_flight(self) -> int:
        return int((await self._ask("analytics.summary", "--json"))["in_flight"])

    async def _conclude(self, code: int, seconds: float, before: int) -> tuple[int, dict[str, Any]]:
        report: dict[str, Any] | None = None
        with suppress(OSError, ValueError):
            report = json.loads((self._session.home.run / "replay.json").read_text())
        summary = merge(await self._ask("analytics.summary", "--json"), report, seconds, before)
        if self._wish.summary:
            write(self._wish.summary, summary)
        drift, said = await self._run("analytics.audit", "--quiescent")
        if drift:
            self._screen.warn(f"the audit finds drift:\n{said}")
        return int(bool(code or drift)), summary

    async def _ask(self, name: str, *args: str) -> dict[str, Any]:
        code, said = await self._run(name, *args)
        try:
            answer: dict[str, Any] = json.loads(said)
        except ValueError:
            raise QueryFailed(f"{name} ended with code {code} and said: {said[-500:]}") from None
        return answer

    async def _run(self, name: str, *args: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *module(name, *args),
            env=self._session.process_environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=sys.stderr,
        )
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode(errors="replace").strip()
