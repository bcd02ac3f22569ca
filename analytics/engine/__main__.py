"""`python -m analytics.engine --port N --path DIR`: serve until SIGTERM."""

import argparse
import asyncio
import logging
from functools import partial
from pathlib import Path

from aiohttp import web

from analytics.client import place
from analytics.engine.directory import Directory
from analytics.engine.http import Interface
from tocsin.errors import EngineUnavailable
from tocsin.process import ready, run
from tocsin.settings import Settings

HOST = "127.0.0.1"
log = logging.getLogger("tocsin.engine")


async def main(arguments: argparse.Namespace, settings: Settings, stop: asyncio.Event) -> None:
    """Open the directory, listen on loopback, and let what was accepted finish at the end."""
    directory = Directory(arguments.path)
    if broken := directory.broken_parts():
        log.warning("%d damaged parts set aside under %s (detached)", broken, directory.path)
    runner = web.AppRunner(
        Interface(directory, place(settings)).app(),
        access_log=None,
        auto_decompress=False,
        shutdown_timeout=30,
    )
    await runner.setup()
    try:
        await _listen(runner, arguments.port)
        ready(settings, "clickhouse", port=arguments.port, path=str(directory.path))
        await stop.wait()
    finally:
        await runner.cleanup()
        directory.close()


async def _listen(runner: web.AppRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError:
        where = f"{HOST}:{port}"
        raise EngineUnavailable(
            "ClickHouse", where, "the port is taken, free it or give another"
        ) from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="analytics.engine", description=__doc__)
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--path", type=Path, required=True, help="the data directory")
    return parser.parse_args()


if __name__ == "__main__":
    run("engine", partial(main, _arguments()))
