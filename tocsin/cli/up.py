"""`tocsin up`: everything started, watched, and stopped in order, whatever happens."""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tocsin import settings as settings_module
from tocsin.cli.control import SupervisorGone
from tocsin.cli.home import Home
from tocsin.cli.layout import Layout, environment, plan
from tocsin.cli.mint import console_address
from tocsin.cli.ports import LOOPBACK
from tocsin.cli.program import STAGES, Program, Wave
from tocsin.cli.programs import programs
from tocsin.cli.quiesce import drained
from tocsin.cli.readiness import check_external
from tocsin.cli.screen import Screen
from tocsin.cli.session import Ready, Session, StartFailed
from tocsin.cli.vault import secrets_of
from tocsin.cli.watch import Watch
from tocsin.cli.wish import Wish
from tocsin.cli.work import Work
from tocsin.engines import ray as ray_engine
from tocsin.engines import spool
from tocsin.engines.keep_broker import spool_path
from tocsin.errors import ConfigError, TocsinError
from tocsin.groups import ANALYTICS, STREAMS, STREAMS_OTP
from tocsin.ids import new_id
from tocsin.kafka import ensure_topics
from tocsin.settings import Settings

DRAIN_SECONDS = 30.0
"""How long a stop waits for what was accepted to be delivered; the rest waits in the spool."""


def up(wish: Wish, console: Console) -> int:
    """Run until done or told to stop; the exit code. Raises `ConfigError` before anything runs."""
    environ = normalised(os.environ)
    wish.check(environ)
    home = Home(wish.data)
    lock = home.open()
    layout = plan(environ, wish.port, wish.sandbox)
    made = environment(layout, home.root, environ, secrets_of(home, environ))
    if "ray" not in layout.external:
        made |= ray_engine.environment(home.root)
    settings = _load(made)
    check_external(settings, layout.external)
    replay = wish.replay_program(home.run / "replay.json")
    known = [*programs(layout, home.root, settings.stream_workers), *([replay] if replay else [])]
    session = Session(home, known, lock)
    screen = Screen(console, wish.logs)
    return asyncio.run(Up(wish, layout, session, screen, made, replay).run())


def normalised(environ: Mapping[str, str]) -> dict[str, str]:
    """Our variables in capitals, as the settings read them whatever their case."""
    upper = {name: name.upper() for name in environ}
    return {
        upper[name] if upper[name].startswith(settings_module.PREFIX) else name: value
        for name, value in environ.items()
    }


def _load(made: Mapping[str, str]) -> Settings:
    os.environ.update(made)
    return settings_module.load()


class Up:
    """One run of the whole system."""

    def __init__(
        self,
        wish: Wish,
        layout: Layout,
        session: Session,
        screen: Screen,
        made: Mapping[str, str],
        replay: Program | None,
    ) -> None:
        self._wish, self._layout, self._session, self._screen = wish, layout, session, screen
        self._environment, self._replay = dict(made), replay
        self._stop = asyncio.Event()
        self._serving = False

    async def run(self) -> int:
        """Start, work, stop; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._told_to_stop)
        try:
            return await self._until_stopped()
        except StartFailed as failure:
            self._screen.failed(failure)
            self._hint_at_damage(failure.name)
        except TocsinError as error:
            self._screen.say(f"[bold red]tocsin up:[/] {escape(str(error))}")
        finally:
            await self._stop_all()
        return 1

    def _hint_at_damage(self, name: str) -> None:
        directory = self._session.home.root / name
        if name in ("valkey", "clickhouse") and directory.exists():
            self._screen.say(
                f"if its data is damaged, move {directory} away and start again: the store is "
                "restored from the log, as far as that reaches; ClickHouse's books begin anew"
            )

    def _told_to_stop(self) -> None:
        if self._stop.is_set():
            self._screen.warn("not waiting any longer")
            self._session.hurry.set()
        self._stop.set()

    async def _until_stopped(self) -> int:
        work = asyncio.create_task(self._work())
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if work.done():
            return work.result()
        work.cancel()
        await asyncio.wait((work,))
        return 0

    async def _work(self) -> int:
        await self._start()
        settings = _load(self._environment)
        watch = Watch(self._session, self._screen, settings, self._fresh_log)
        work = Work(self._wish, self._session, self._screen, settings, self._replay, watch)
        self._screen.addresses(self._addresses())
        return await work.run()

    async def _start(self) -> None:
        screen, layout = self._screen, self._layout
        screen.say(f"Tocsin starts, its data in {self._session.home.root}")
        for name in layout.moved:
            screen.warn(f"{name}: the usual port is taken, it listens on {layout.ports[name]}")
        self._new_epoch()
        await self._session.open()
        engines, *rest = STAGES
        await self._session.start_waves(engines, self._told)
        self._merge_sandbox()
        if "broker" in layout.external:
            await ensure_topics(_load(self._environment))
        for waves in rest:
            await self._session.start_waves(waves, self._told)
        self._serving = True

    def _told(self, ready: Ready) -> None:
        self._screen.up(ready, self._where(ready.program.name))

    def _where(self, name: str) -> str:
        port = self._layout.ports.get(name)
        if name == "broker":
            return f"kafka://{LOOPBACK}:{port}, embedded: the log is in memory"
        return f"{LOOPBACK}:{port}" if port else ""

    def _new_epoch(self) -> None:
        """Offsets of an in-memory log begin again with it: its records need another name."""
        if "broker" not in self._layout.external:
            self._environment["TOCSIN_LOG_EPOCH"] = new_id()
        self._publish()

    def _publish(self) -> None:
        self._session.publish(
            self._environment,
            ports=dict(self._layout.ports),
            external=sorted(self._layout.external),
            programs=list(self._session.programs),
        )

    def _merge_sandbox(self) -> None:
        """The sandbox's addresses and credentials, into everyone's environment."""
        if self._layout.sandbox:
            path = self._session.home.root / "sandbox" / "env.json"
            self._environment |= json.loads(path.read_text())
            self._publish()
        _load(self._environment)

    async def _fresh_log(self) -> None:
        """The embedded broker died, and its log with it: everything that reads it starts anew, so
        that nobody goes by an offset of a log that is no more."""
        self._screen.warn(
            "the embedded broker ended, and what was in its log is lost (it is in memory): "
            "starting it again with an empty one. Use TOCSIN_KAFKA_URL where that matters"
        )
        session = self._session
        self._new_epoch()
        for wave in (Wave.API, Wave.STREAMS, Wave.WRITER):
            await session.stop_wave(wave)
        await session.start([session.programs["broker"]], self._told)
        for waves in ((Wave.WRITER, Wave.STREAMS), (Wave.API,)):
            await session.start_waves(waves, self._told)

    async def _stop_all(self) -> None:
        self._screen.say("stopping, in order; Ctrl-C again to hurry")
        try:
            for wave in (Wave.REPLAY, Wave.API):
                await self._session.stop_wave(wave)
            await self._drain(STREAMS, STREAMS_OTP)
            await self._session.stop_wave(Wave.STREAMS)
            await self._drain(ANALYTICS)
            for wave in (Wave.WRITER, Wave.ACTORS):
                await self._session.stop_wave(wave)
        except SupervisorGone as error:
            self._screen.warn(f"{error}; ending what is left")
        await self._session.close()
        self._tell_spool(spool_path(self._session.home.root))
        self._screen.say("stopped; nothing is left running")

    def _tell_spool(self, path: Path) -> None:
        if "broker" not in self._layout.external and (left := spool.waiting(path)):
            self._screen.say(f"{left:,} unfinished records wait for the next start, in {path}")

    async def _drain(self, *groups: str) -> None:
        """With the log in memory, wait for what was accepted, unless in a hurry."""
        if not self._serving or "broker" in self._layout.external or self._session.hurry.is_set():
            return
        draining = asyncio.create_task(drained(_load(self._environment), groups, DRAIN_SECONDS))
        hurry = asyncio.create_task(self._session.hurry.wait())
        await asyncio.wait((draining, hurry), return_when=asyncio.FIRST_COMPLETED)
        for task in (draining, hurry):
            task.cancel()
        if draining.done() and not draining.cancelled() and draining.exception():
            self._screen.warn(f"the log does not answer: {draining.exception()}")

    def _console(self, url: str) -> str:
        """With a token for whoever sits at the terminal; what is written to a file has none."""
        if self._screen.console.is_terminal:
            with suppress(ConfigError):  # a JWKS alone: none can be minted here
                return console_address(_load(self._environment))
        return f"{url}/console"

    def _addresses(self) -> dict[str, str]:
        at = {name: f"{LOOPBACK}:{port}" for name, port in self._layout.ports.items()}
        url = self._environment["TOCSIN_PUBLIC_URL"]
        found = {"page": f"{url}/", "console": self._console(url), "API": f"{url}/docs"}
        if self._layout.sandbox:
            found["sandbox"] = f"http://{at['sandbox-http']}/sandbox/journal"
        found |= {
            "Kafka": at.get("broker", self._environment.get("TOCSIN_KAFKA_URL", "")),
            "Redis": f"redis://{at['valkey']}" if "valkey" in at else "external",
            "ClickHouse": f"http://{at['clickhouse']}" if "clickhouse" in at else "external",
            "logs": str(self._session.home.log),
        }
        return found
