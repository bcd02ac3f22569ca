"""The API process: `python -m api.serve`."""

import asyncio
import gc
import logging
import socket
from contextlib import AsyncExitStack
from typing import Final

from fastapi import FastAPI
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from api.app import create_app
from api.routes import shop
from api.services import Services
from tocsin.errors import ConfigError
from tocsin.kafka import start_producer
from tocsin.process import ready, run
from tocsin.settings import Settings
from tocsin.store import connect
from tocsin.store.clock import StoreClock
from tocsin.templates.feed import Feed

log = logging.getLogger(__name__)

_FINISH_SECONDS: Final = 15.0
"""For answers under way: more than a Kafka acknowledgement may take (api/publish.py)."""


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until told to stop; then answer what was asked, and flush what was accepted."""
    _require_port(settings)
    async with AsyncExitStack() as stack:  # closed last to first
        redis = await connect(settings)
        stack.push_async_callback(redis.aclose)
        producer = await start_producer(settings)
        stack.push_async_callback(producer.stop)
        events = await start_producer(settings, linger_ms=0)
        stack.push_async_callback(events.stop)
        clock = await StoreClock.set_by(redis)
        stack.callback(asyncio.create_task(clock.keep()).cancel)
        services = Services.over(settings, redis, producer, clock, events)
        stack.push_async_callback(services.figures.close)
        stack.push_async_callback(services.desk.close)
        stack.push_async_callback(services.hits.close)
        feed = Feed(settings, services.catalogue)
        await feed.start()
        stack.push_async_callback(feed.stop)
        if taken_up := await services.hits.take_up():
            log.info("%d clicks and opens of an API that ended are on their way", taken_up)
        app = create_app(services)
        stack.push_async_callback(shop.close, app)
        await _serve(settings, app, stop)


def _require_port(settings: Settings) -> None:
    """Raises `ConfigError` for a port that is taken: Granian's own sockets share it silently."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigError(
                f"TOCSIN_PORT: cannot listen on {settings.host}:{settings.port}: {error.strerror}"
            ) from None


async def _serve(settings: Settings, app: FastAPI, stop: asyncio.Event) -> None:
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.auto,
        websockets=False,
        backlog=1024,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    await _listening(settings, serving)
    # what is there now stays: looking through it again and again held requests up for 60 ms
    gc.collect()
    gc.freeze()
    ready(settings, "api", url=f"http://{settings.host}:{settings.port}")
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if serving.done():
        serving.result()
        raise RuntimeError("the HTTP server ended by itself")
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait((serving,), timeout=_FINISH_SECONDS)


async def _listening(settings: Settings, serving: asyncio.Task[None]) -> None:
    """Return once the port accepts connections."""
    while True:
        try:
            _, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError:
            if serving.done():
                serving.result()
                raise
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return


if __name__ == "__main__":
    run("api", main)
