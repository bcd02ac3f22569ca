"""What is measured, one phase each; costs are CPU time of the shard's process, since the clients
and whatever else the machine does take the wall's."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from loadtest.bench.sockets import messages
from loadtest.bench.sockets.messages import Lot
from loadtest.bench.sockets.stage import Frame, Stage, now
from tocsin.store.inbox import Inbox

_WAIT_SECONDS: Final = 60.0
_IN_FLIGHT: Final = {"publish": 2, "deliver": 4}
_TICK_SECONDS: Final = 0.005


class Sockets:
    """The phases at one number of connections."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._inbox = stage, Inbox(stage.redis)
        self.offsets: dict[int, int] = {}

    async def connect(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Everybody in; what that costs, and the memory each takes."""
        before, began = await self._stage.usage(collect=True), now()
        for place in await self._stage.open(numbers):
            self.offsets[place.number] = place.offset
        took = now() - began
        after = await self._stage.usage(collect=True)
        count = len(numbers)
        return {
            "connections": count,
            "bytes_each": round((after["rss"] - before["rss"]) / count),
            "rss_mb": round(after["rss"] / 1e6, 1),
            "per_second": round(count / took),
            "per_cpu_second": round(count / (after["cpu"] - before["cpu"])),
        }

    async def idle(self, seconds: float) -> dict[str, Any]:
        """What it costs that they are there: leases and, from the twentieth second on, pings."""
        before, began = await self._stage.usage(), now()
        await asyncio.sleep(seconds)
        after, took = await self._stage.usage(), now() - began
        return {"cpu_percent": round(100 * (after["cpu"] - before["cpu"]) / took, 2)}

    async def pushed(self, frames: int) -> dict[str, Any]:
        """`publish` as fast as it goes: frames of other shards, each another one, in lots."""
        return await self._flood("publish", await messages.pushes(self._inbox, self._turns(frames)))

    async def delivered(self, frames: int) -> dict[str, Any]:
        """`deliver` as fast as it goes: read, decide, render, write inboxes, push."""
        return await self._flood("deliver", messages.deliveries(self._turns(frames), self.offsets))

    def _turns(self, frames: int) -> list[int]:
        everyone = sorted(self.offsets)
        return (everyone * -(-frames // len(everyone)))[:frames]

    async def _flood(self, verb: str, lots: Sequence[Lot]) -> dict[str, Any]:
        await self._stage.received((), 0)
        sent: dict[tuple[int, int], float] = {}
        slots = asyncio.Semaphore(_IN_FLIGHT[verb])

        async def one(lot: Lot) -> None:
            async with slots:
                sent.update(dict.fromkeys(lot.holds, now()))
                await self._stage.call(verb, lot.payload)

        before, began = await self._stage.usage(), now()
        await asyncio.gather(*(one(lot) for lot in lots))
        read = await self._stage.received([n for n, _ in sent], _WAIT_SECONDS)
        took, after = now() - began, await self._stage.usage()
        self._note(sent)
        used = {part: after[part] - before[part] for part in ("user", "system", "cpu", "store")}
        return {
            "frames": len(read),
            "missing": len(sent) - len(read),
            "per_second": round(len(read) / took),
            "per_cpu_second": round(len(read) / used["cpu"]),
            "us_each": {k: round(1e6 * v / max(1, len(read)), 1) for k, v in used.items()},
            **percentiles(sent, read),
        }

    async def steady(self, per_second: int, seconds: float) -> dict[str, Any]:
        """`publish` at an even pace, from the moment each was *meant* to go, so that a shard that
        stalls is not asked less."""
        size = max(1, round(per_second * _TICK_SECONDS))
        lots = await messages.pushes(self._inbox, self._turns(int(per_second * seconds)), size)
        await self._stage.received((), 0)
        sent: dict[tuple[int, int], float] = {}
        calls, start = [], now() + 0.1
        before = await self._stage.usage()
        for index, lot in enumerate(lots):
            meant = start + index * size / per_second
            await asyncio.sleep(max(0.0, meant - now()))
            sent.update(dict.fromkeys(lot.holds, meant))
            calls.append(asyncio.create_task(self._stage.call("publish", lot.payload)))
        await asyncio.gather(*calls)
        read = await self._stage.received([n for n, _ in sent], _WAIT_SECONDS)
        after = await self._stage.usage()
        self._note(sent)
        return {
            "per_second": per_second,
            "frames": len(read),
            "missing": len(sent) - len(read),
            "us_each": {"cpu": round(1e6 * (after["cpu"] - before["cpu"]) / max(1, len(read)), 1)},
            **percentiles(sent, read),
        }

    def _note(self, sent: Mapping[tuple[int, int], float]) -> None:
        for number, offset in sent:
            self.offsets[number] = max(self.offsets[number], offset)


def percentiles(
    sent: Mapping[tuple[int, int], float], read: Sequence[Frame]
) -> dict[str, dict[str, float]]:
    """Milliseconds from `sent` to the client, nearest rank."""
    took = sorted(
        (frame.at - sent[frame.number, frame.offset]) * 1000
        for frame in read
        if (frame.number, frame.offset) in sent
    )
    ranks = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        "ms": {
            label: round(took[min(len(took) - 1, int(len(took) * rank))], 1)
            for label, rank in ranks.items()
            if took
        }
    }
