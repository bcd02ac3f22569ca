"""`python -m actors.leave --seconds 60`: this Ray node goes away, its shards' sockets go elsewhere.

What Kubernetes runs before it ends a pod of the connections. The supervisor leaves such a shard
alone; Ray makes it again on another node when this one has ended.
"""

import argparse
import asyncio
import logging
from functools import partial
from typing import Any, Final

import ray
from ray.exceptions import RayError
from ray.util import list_named_actors

from actors.elastic import SHARD
from actors.pool import NAMESPACE, connect
from actors.sockets.listener import GONE_SECONDS
from tocsin.process import run
from tocsin.settings import Settings

log = logging.getLogger(__name__)

_ANSWER_SECONDS: Final = 5.0


async def main(seconds: float, settings: Settings, _: asyncio.Event) -> None:
    """Return when the sockets of this node's shards are gone, or could not be told so."""
    await connect(settings)
    here = ray.get_runtime_context().get_node_id()
    names = [name for name in await asyncio.to_thread(list_named_actors) if name.startswith(SHARD)]
    found = await asyncio.gather(*(_on(here, name) for name in names))
    leaving = [shard for shard in found if shard is not None]
    log.info("%d shards leave this node within %.0f s", len(leaving), seconds)
    calls = [shard.leave.remote(seconds) for shard in leaving]
    await asyncio.wait_for(
        asyncio.gather(*calls, return_exceptions=True), seconds + GONE_SECONDS + _ANSWER_SECONDS
    )


async def _on(node: str, name: str) -> Any:
    """The shard of that name if it is on this node. One that does not say where it is, is not asked
    again: there is no time."""
    try:
        shard = await asyncio.to_thread(ray.get_actor, name, NAMESPACE)
        facts: dict[str, Any] = await asyncio.wait_for(shard.facts.remote(), _ANSWER_SECONDS)
    except (RayError, TimeoutError, ValueError) as error:
        log.warning("%s does not say where it is: %r", name, error)
        return None
    return shard if facts["node"] == node else None


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m actors.leave", description=__doc__)
    made.add_argument(
        "--seconds", type=float, default=60.0, help="over how long the sockets are closed (60)"
    )
    return made


if __name__ == "__main__":
    run("leave", partial(main, parser().parse_args().seconds), metrics=False)
