"""Everybody comes back at once: the shard is killed and started anew while deliveries go on."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from loadtest.bench.sockets import messages
from loadtest.bench.sockets.clients import name
from loadtest.bench.sockets.link import Away
from loadtest.bench.sockets.stage import Place, Stage, now
from tocsin.errors import EngineUnavailable
from tocsin.store.inbox import Inbox

_LIMIT_SECONDS: Final = 120.0
_BATCH: Final = 100
_EVERY_SECONDS: Final = 0.25
_AGAIN_SECONDS: Final = 0.2
_SETTLE_SECONDS: Final = 30.0


class Storm:
    """The people of `numbers` are connected to a shard of `stage`, and stay."""

    def __init__(self, stage: Stage, numbers: Sequence[int], accepts: float) -> None:
        self._stage, self._numbers, self._accepts = stage, numbers, accepts
        self._inbox = Inbox(stage.redis)
        self._delivered = 0

    async def run(self, graceful: bool = False) -> dict[str, Any]:
        """`kill -9`, or with `graceful` a drain over three seconds; then a new shard in its place.
        Ends when all are back and hold what their inboxes hold."""
        await self._stage.ask("stay")
        delivering = asyncio.create_task(self._deliver())
        try:
            await asyncio.sleep(1)
            cut = now()
            if graceful:
                await self._stage.call("drain", 3.0)
            await self._stage.shard(self._accepts)
            serving = now() - cut
            back, took = await self._all_back(cut)
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)
        behind = await self._behind()
        seen = _sum(await self._stage.ask("seen"))
        return {
            "connections": len(self._numbers),
            "accepts_per_second": self._accepts,
            "away_seconds": round(serving, 1),
            "back": back,
            "seconds": round(took, 1),
            "delivered_meanwhile": self._delivered,
            "behind": behind,
            **seen,
        }

    async def _all_back(self, since: float) -> tuple[int, float]:
        while True:
            back = sum(await self._stage.ask("back", since))
            if back == len(self._numbers) or now() - since > _LIMIT_SECONDS:
                return back, now() - since
            await asyncio.sleep(0.1)

    async def _deliver(self) -> None:
        """Batches at an even pace, each tried until it is taken, as the channel's agent does."""
        offsets = dict.fromkeys(self._numbers, 0)
        turn = 0
        while True:
            picked = [self._numbers[(turn + i) % len(self._numbers)] for i in range(_BATCH)]
            (lot,) = messages.deliveries(picked, offsets, _BATCH)
            while True:
                try:
                    await self._stage.call("deliver", lot.payload)
                    break
                except (Away, EngineUnavailable):
                    await asyncio.sleep(_AGAIN_SECONDS)
            self._delivered += _BATCH
            turn += _BATCH
            await asyncio.sleep(_EVERY_SECONDS)

    async def _behind(self) -> int:
        """How many clients do not stand where their inbox does, once nothing is under way."""
        end = now() + _SETTLE_SECONDS
        while True:
            told = await self._stage.ask("positions")
            places = [Place(*place) for part in told for place in part]
            newest = await self._inboxes()
            behind = sum(newest[p.number] != (p.epoch, p.offset) for p in places)
            if not behind or now() > end:
                return behind
            await asyncio.sleep(0.2)

    async def _inboxes(self) -> dict[int, tuple[str, int]]:
        found: dict[int, tuple[str, int]] = {}
        for part in messages.batches(self._numbers, 500):
            answers = await asyncio.gather(*(self._inbox.resume(name(n)) for n in part))
            found |= {n: (a.epoch, a.offset) for n, a in zip(part, answers, strict=True)}
        return found


def _sum(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    total = {k: sum(p[k] for p in parts) for k in parts[0] if k != "closed"}
    closed: dict[str, int] = {}
    for part in parts:
        for code, count in part["closed"].items():
            closed[code] = closed.get(code, 0) + count
    return total | {"closed": closed}
