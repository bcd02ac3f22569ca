"""The process that keeps the actors: makes them, wakes those that were restarted, takes them down.

Run as ``python -m actors.supervise``.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import ray
from ray.exceptions import RayError, RayTaskError

from actors.pool import connect, create
from tocsin.errors import ConfigError, EngineUnavailable
from tocsin.process import ready, run
from tocsin.settings import Settings

log = logging.getLogger(__name__)

EVERY: Final = 1.0
"""Seconds between rounds: how long a restarted actor may be without its servers."""

DRAIN_SECONDS: Final = 3.0
_ANSWER_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 5.0
_LOST_ROUNDS: Final = 10


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Keep the actors until told to stop."""
    await connect(settings)
    actors = await asyncio.to_thread(create, settings)
    try:
        await _keep(settings, actors, stop)
    finally:
        await _take_down(actors)


async def _keep(settings: Settings, actors: dict[str, Any], stop: asyncio.Event) -> None:
    known: dict[str, dict[str, Any]] = {}
    up: set[str] = set()
    silent = 0
    while not stop.is_set():
        found = await _round(actors)
        silent = 0 if found else silent + 1
        if silent >= _LOST_ROUNDS:
            # the cluster itself is gone: a new process finds the new one
            raise EngineUnavailable("Ray", settings.ray_address, "every actor is silent")
        for name in sorted(up ^ set(found)):
            log.info("%s is %s", name, "up" if name in found else "away")
        up = set(found)
        if known | found != known:
            known |= found
            if set(known) == set(actors):
                _say(settings, known)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY)


def _say(settings: Settings, known: Mapping[str, Mapping[str, Any]]) -> None:
    pids = {name: facts["pid"] for name, facts in known.items()}
    ws = {name: facts["ws"] for name, facts in known.items() if "ws" in facts}
    ready(settings, "actors", pids=pids, ws=ws)


async def _round(actors: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Start every actor that is not started; the facts of those that answered."""
    answers = await asyncio.gather(*(_facts(handle) for handle in actors.values()))
    return {name: facts for name, facts in zip(actors, answers, strict=True) if facts}


async def _facts(handle: Any) -> dict[str, Any]:
    """What an actor says of itself; nothing while it cannot. Raises the actor's `ConfigError`."""
    try:
        facts: dict[str, Any] = await asyncio.wait_for(handle.facts.remote(), _ANSWER_SECONDS)
    except RayTaskError as error:
        if isinstance(error.cause, ConfigError):
            raise ConfigError(str(error.cause)) from None
        log.warning("an actor cannot start: %s", error.cause)
        return {}
    except (RayError, TimeoutError):
        return {}
    return facts


async def _take_down(actors: dict[str, Any]) -> None:
    """Sockets are told to go elsewhere, what is at work is finished, then the processes end."""
    shards = [handle for name, handle in actors.items() if name.startswith("shard-")]
    await _within(DRAIN_SECONDS + 5, [shard.drain.remote(DRAIN_SECONDS) for shard in shards])
    await _within(_CLOSE_SECONDS, [handle.close.remote() for handle in actors.values()])
    for handle in actors.values():
        with suppress(RayError, ValueError):
            await asyncio.to_thread(ray.kill, handle)
    await asyncio.to_thread(ray.shutdown)


async def _within(seconds: float, calls: list[Any]) -> None:
    """Wait for calls, but not for ever: an actor that is gone has nothing to finish."""
    waiting = asyncio.gather(*calls, return_exceptions=True)
    with suppress(TimeoutError):
        await asyncio.wait_for(waiting, seconds)


if __name__ == "__main__":
    run("actors", main)
