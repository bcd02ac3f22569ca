"""Frames for people whose sockets are on other shards."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from actors.sockets.frames import Push, pack
from tocsin.store.registry import Registry

Call = Callable[[str, bytes], Awaitable[bytes]]
"""`publish` of the shard of this name, with these bytes."""

TIMEOUT_SECONDS: Final = 2.0
REST_SECONDS: Final = 5.0
"""A shard that did not answer is left alone for so long; its lease may be over by then."""

_log = logging.getLogger(__name__)
_flags: Final = msgspec.json.Decoder(list[bool])


async def nobody(shard: str, payload: bytes) -> bytes:
    """The call of a shard that is alone."""
    raise ConnectionError(f"no way to shard {shard}")


class Peers:
    """Never raises and never waits long: an inbox holds everything, so a push that fails costs a
    person a delay, not a notification."""

    def __init__(self, registry: Registry, call: Call) -> None:
        self._registry, self._call = registry, call
        self._resting: dict[str, float] = {}

    async def push(self, pushes: Sequence[Push]) -> list[bool]:
        """For each, whether a socket on another shard has it now. Raises what Redis raises."""
        by_shard: dict[str, list[int]] = {}
        for index, shards in enumerate(await self._registry.where([p.user_id for p in pushes])):
            for shard in shards:
                by_shard.setdefault(shard, []).append(index)
        took = [False] * len(pushes)
        calls = [self._publish(s, [pushes[i] for i in where]) for s, where in by_shard.items()]
        for where, flags in zip(by_shard.values(), await asyncio.gather(*calls), strict=True):
            for index, flag in zip(where, flags, strict=True):
                took[index] |= flag
        return took

    async def _publish(self, shard: str, pushes: list[Push]) -> list[bool]:
        now = asyncio.get_running_loop().time()
        if self._resting.get(shard, 0) > now:
            return [False] * len(pushes)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                flags = _flags.decode(await self._call(shard, pack(pushes)))
            if len(flags) != len(pushes):
                raise ValueError(f"{len(flags)} answers to {len(pushes)} frames")
            return flags
        except Exception as error:
            # whatever carries the call has errors of its own; none of them is worth a batch
            self._resting[shard] = now + REST_SECONDS
            _log.warning("shard %s does not take frames: %r", shard, error)
            return [False] * len(pushes)
