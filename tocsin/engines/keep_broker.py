"""The embedded broker's process: starts it, gives it its topics and what the last one left, and on
SIGTERM saves what is unfinished before it ends (spool.py). A broker that dies takes its log along.
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from tocsin.engines import broker, spool
from tocsin.engines.listening import listens
from tocsin.kafka import ensure_topics
from tocsin.process import die_with_parent, ready, run
from tocsin.settings import Settings

log = logging.getLogger(__name__)
_START_SECONDS = 30


def spool_path(data_dir: Path) -> Path:
    """Where unfinished records wait for the next start."""
    return data_dir / "broker" / "spool.msgpack"


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Run the broker of `settings.kafka_url` until told to stop."""
    port = int(settings.kafka_servers()[0].rpartition(":")[2])
    process = await asyncio.create_subprocess_exec(
        *broker.command(port), preexec_fn=lambda: die_with_parent(signal.SIGKILL)
    )
    ended = asyncio.create_task(process.wait())
    try:
        await asyncio.wait_for(_answers(process.pid, port, ended), _START_SECONDS)
        await _serve(settings, stop, ended)
    finally:
        if process.returncode is None:
            process.terminate()
        await ended


async def _answers(pid: int, port: int, ended: asyncio.Task[int]) -> None:
    while not (await asyncio.to_thread(broker.answers, port) and listens(pid, port)):
        if ended.done():
            sys.exit(f"the broker ended with code {ended.result()} before it served")
        await asyncio.sleep(0.05)


async def _serve(settings: Settings, stop: asyncio.Event, ended: asyncio.Task[int]) -> None:
    path = spool_path(settings.data_dir)
    await ensure_topics(settings)
    if restored := await spool.restore(settings, path):
        log.info("restored %d records of the last run", restored)
    ready(settings, "broker")
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((stopping, ended), return_when=asyncio.FIRST_COMPLETED)
    if ended.done():
        sys.exit(f"the broker ended with code {ended.result()}; its log was in memory")
    if waiting := await spool.save(settings, path):
        log.warning("%d unfinished records wait in %s for the next start", waiting, path)


if __name__ == "__main__":
    run("broker", main)
