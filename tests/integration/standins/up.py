"""A `tocsin up` of stand-ins: `python -m tests.integration.standins.up DATA_DIR [broken]`.

Starts them in waves, prints `serving`, stops them on SIGTERM, and says what went wrong.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

from tocsin.cli.control import SupervisorGone
from tocsin.cli.home import Home
from tocsin.cli.program import STAGES, Program, Wave
from tocsin.cli.session import Session, StartFailed
from tocsin.errors import ConfigError

SERVICE = str(Path(__file__).parent / "service.py")


def service(home: Home, name: str, wave: Wave, *options: str, family: bool = False) -> Program:
    argv = (sys.executable, SERVICE, str(home.root), name, *options)
    return Program(name, argv, wave, family=family)


def programs(home: Home) -> list[Program]:
    once = (sys.executable, "-c", "print('migrated')")
    return [
        service(home, "engine-a", Wave.ENGINES, "--slow"),
        service(home, "engine-b", Wave.ENGINES, "--child", family=True),
        Program("migrate", once, Wave.SCHEMA, once=True),
        service(home, "worker", Wave.ACTORS, "--child"),
        service(home, "api", Wave.API),
    ]


def broken() -> Program:
    argv = (sys.executable, "-c", "import sys; sys.exit('TOCSIN_X: no such thing')")
    return Program("broken", argv, Wave.API)


async def main(home: Home, more: list[Program]) -> None:
    session = Session(home, [*programs(home), *more], home.open())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    session.publish({"TOCSIN_LOG_EPOCH": "first"})
    try:
        await session.open()
        for waves in STAGES:
            await session.start_waves(waves, lambda ready: print("up", ready.program.name))
        session.publish({"TOCSIN_LOG_EPOCH": "second"})
        print("serving", flush=True)
        await stop.wait()
    except StartFailed as failure:
        print("failed:", failure, failure.last_words[-1:], flush=True)
    finally:
        with suppress(SupervisorGone):
            for wave in reversed(Wave):
                await session.stop_wave(wave)
        await session.close()
        print("closed", flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(Home(Path(sys.argv[1])), [broken()] if "broken" in sys.argv else []))
    except ConfigError as error:
        sys.exit(str(error))
