"""Run a Faust app inside a process of ours until told to stop, and end it without loss."""

import asyncio
import logging
import sys
from collections.abc import Coroutine, Sequence
from typing import Any, Final

import faust

from streams.consume import EX_SOFTWARE, Consume, die
from streams.watch import watch
from tocsin.process import collect_rarely, ready
from tocsin.settings import Settings

log = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 8.0
"""How long a stopping worker waits for batches at work; what is left is read again later."""


async def serve(
    settings: Settings,
    name: str,
    app: faust.App,
    consumers: Sequence[Consume],
    stop: asyncio.Event,
) -> None:
    """Ready once the group has given this worker its partitions. Exits the process when Faust
    crashed by itself: the supervisor starts it again, and nothing unacknowledged is forgotten."""
    for consumer in consumers:
        consumer.attach(app)
    assigned = asyncio.Event()
    app.on_partitions_assigned.connect(_setter(assigned), weak=False)
    await app.start()
    stopping = asyncio.create_task(stop.wait())
    crashed = asyncio.create_task(app.wait_until_stopped())
    stuck = asyncio.create_task(watch(settings, app.conf.id, consumers, app.consumer.assignment))
    try:
        await _until((asyncio.create_task(assigned.wait()), stopping, crashed))
        if assigned.is_set() and not stop.is_set():
            collect_rarely()
            ready(settings, name)
            await _until((stopping, crashed, stuck))
        if stuck.done():
            die(f"no progress on {', '.join(stuck.result())} in spite of lag")
        if stop.is_set():
            await asyncio.gather(*(consumer.drain(DRAIN_SECONDS) for consumer in consumers))
            await app.consumer.commit()
    finally:
        stuck.cancel()
        reason = app.crash_reason
        await app.stop()
    if not stop.is_set():
        log.critical("Faust stopped by itself: %r", reason)
        sys.exit(EX_SOFTWARE)


def beside(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Run `work`, which never ends, beside the agents. If it does end, so does the process: the
    supervisor starts it again, and nobody waits for ever for what it does."""
    task = asyncio.create_task(work)
    task.add_done_callback(_ended)
    return task


def _ended(task: "asyncio.Task[None]") -> None:
    if task.cancelled():
        return
    try:
        task.result()
    except Exception:
        die("what runs beside the agents failed")
    die("what runs beside the agents ended by itself")


def _setter(event: asyncio.Event):  # type: ignore[no-untyped-def]
    async def on_assigned(*_: object, **__: object) -> None:
        event.set()

    return on_assigned


async def _until(tasks: Sequence[asyncio.Task[object]]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
