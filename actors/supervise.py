"""The process that keeps the actors: makes them, wakes those that were restarted, takes them down.

Run as ``python -m actors.supervise``.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import ray
from ray.exceptions import ActorDiedError, RayError, RayTaskError

from actors.elastic import SHARD, Elastic
from actors.pool import connect, create, create_shard
from actors.silence import Silence
from actors.sockets.listener import GONE_SECONDS
from tocsin.errors import ConfigError, EngineUnavailable
from tocsin.metrics import CONNECTIONS_BOUND
from tocsin.observability.lag import keep_lag
from tocsin.observability.progress import PROGRESS
from tocsin.process import ready, run
from tocsin.settings import Settings

log = logging.getLogger(__name__)

EVERY: Final = 1.0
"""Seconds between rounds: how long a restarted actor may be without its servers."""

DRAIN_SECONDS: Final = 3.0
_ANSWER_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 5.0
_LOST_ROUNDS: Final = 10
_MUTE: Final[dict[str, Any]] = {}
"""No facts, and this very object: it was asked, and did not answer."""

_ROUND_SECONDS: Final = 180.0
"""A round takes as long as its slowest answer: the ones above, together, twice."""


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Keep the actors until told to stop."""
    await connect(settings)
    actors = await asyncio.to_thread(create, settings)

    async def make(name: str) -> Any:
        return await asyncio.to_thread(create_shard, settings, name)

    elastic = Elastic(settings, actors, make, _end)
    CONNECTIONS_BOUND.set(max(settings.shards, settings.shards_max) * settings.shard_connections)
    lag = asyncio.create_task(keep_lag(settings))
    try:
        await _keep(settings, actors, elastic, stop)
    finally:
        lag.cancel()
        if settings.actor_groups:
            # each node drains its own (actors.leave); without us they go on, and the next one of us
            # finds them
            await asyncio.to_thread(ray.shutdown)
        else:
            await _take_down(actors, elastic)


async def _keep(
    settings: Settings, actors: dict[str, Any], elastic: Elastic, stop: asyncio.Event
) -> None:
    known: dict[str, dict[str, Any]] = {}
    up: set[str] = set()
    said: tuple[Any, Any] | None = None
    silent, silence = 0, Silence()
    rounds = PROGRESS.part("rounds", _ROUND_SECONDS)
    while not stop.is_set():
        rounds.moved()
        found, dead, mute = await _round(actors)
        elastic.forget(dead)
        for name in silence.heed(mute):
            await _replace(name, actors[name])
        silent = 0 if found else silent + 1
        if silent >= _LOST_ROUNDS:
            # the cluster itself is gone: a new process finds the new one
            raise EngineUnavailable("Ray", settings.ray_address, "every actor is silent")
        for name in sorted(up ^ set(found)):
            log.info("%s is %s", name, "up" if name in found else "away")
        up = set(found)
        elastic.adjust(found, time.monotonic())
        known = {name: facts for name, facts in (known | found).items() if name in actors}
        if set(known) == set(actors) and said != (now := _told(known)):
            pids, ws = said = now
            ready(settings, "actors", pids=pids, ws=ws)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY)


def _told(known: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, int], dict[str, int]]:
    """Of each actor its process id, and of those that have one the WebSockets' port."""
    pids = {name: facts["pid"] for name, facts in known.items()}
    return pids, {name: facts["ws"] for name, facts in known.items() if "ws" in facts}


async def _round(
    actors: Mapping[str, Any],
) -> tuple[dict[str, dict[str, Any]], list[str], list[str]]:
    """Start every actor that is not started; the facts of those that answered, the names of those
    that have ended for good, and of those that were asked in vain."""
    names = list(actors)
    answers = await asyncio.gather(*(_facts(actors[name]) for name in names))
    said = dict(zip(names, answers, strict=True))
    return (
        {name: facts for name, facts in said.items() if facts},
        [name for name, facts in said.items() if facts is None],
        [name for name, facts in said.items() if facts is _MUTE],
    )


async def _replace(name: str, handle: Any) -> None:
    """End an actor that is stuck: Ray makes it anew, and its callers, who wait, ask that one."""
    log.error("%s does not answer: ending it, to be made anew", name)
    with suppress(RayError, ValueError):
        await asyncio.to_thread(ray.kill, handle, no_restart=False)


async def _facts(handle: Any) -> dict[str, Any] | None:
    """What an actor says of itself; nothing while it cannot, None when it never will again. Raises
    the actor's `ConfigError`."""
    try:
        facts: dict[str, Any] = await asyncio.wait_for(handle.facts.remote(), _ANSWER_SECONDS)
    except ActorDiedError:
        return None
    except RayTaskError as error:
        if isinstance(error.cause, ConfigError):
            raise ConfigError(str(error.cause)) from None
        log.warning("an actor cannot start: %s", error.cause)
        return {}
    except TimeoutError:
        return _MUTE
    except RayError:
        return {}
    if facts.get("serving") is False and not facts.get("leaving"):
        # drained by a supervisor that died before it ended it: the next round starts it anew
        await _within(_CLOSE_SECONDS, [handle.close.remote()])
        return {}
    return facts


async def _take_down(actors: dict[str, Any], elastic: Elastic) -> None:
    """Sockets are told to go elsewhere, what is at work is finished, then the processes end."""
    await elastic.stop()
    shards = [handle for name, handle in actors.items() if name.startswith(SHARD)]
    await _drain(shards, DRAIN_SECONDS)
    await _close(list(actors.values()))
    await asyncio.to_thread(ray.shutdown)


async def _end(shard: Any, seconds: float) -> None:
    """One shard of those beyond the base."""
    await _drain([shard], seconds)
    await _close([shard])


async def _drain(shards: list[Any], seconds: float) -> None:
    calls = [shard.drain.remote(seconds) for shard in shards]
    await _within(seconds + GONE_SECONDS + 1, calls)


async def _close(handles: list[Any]) -> None:
    await _within(_CLOSE_SECONDS, [handle.close.remote() for handle in handles])
    for handle in handles:
        with suppress(RayError, ValueError):
            await asyncio.to_thread(ray.kill, handle)


async def _within(seconds: float, calls: list[Any]) -> None:
    """Wait for calls, but not for ever: an actor that is gone has nothing to finish."""
    waiting = asyncio.gather(*calls, return_exceptions=True)
    with suppress(TimeoutError):
        await asyncio.wait_for(waiting, seconds)


if __name__ == "__main__":
    run("actors", main)
