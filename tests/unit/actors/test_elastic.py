"""Shards made and ended: one change at a time, and nothing forgotten. The actors are words."""

import asyncio
from typing import Any

from actors.elastic import Elastic
from actors.scale import IDLE_SECONDS
from tocsin.settings import Settings

SETTINGS = Settings(shards=1, shards_max=3, shard_connections=10, shard_accepts=10)


class Cluster:
    """Makes and ends when it is let."""

    def __init__(self, *names: str) -> None:
        self.actors: dict[str, Any] = {name: f"handle of {name}" for name in names}
        self.made: list[str] = []
        self.ended: list[tuple[Any, float]] = []
        self.let = asyncio.Event()
        self.let.set()
        self.broken = False
        self.elastic = Elastic(SETTINGS, self.actors, self.make, self.end)

    async def make(self, name: str) -> Any:
        await self.let.wait()
        if self.broken:
            raise RuntimeError("no room")
        self.made.append(name)
        return f"handle of {name}"

    async def end(self, handle: Any, seconds: float) -> None:
        await self.let.wait()
        self.ended.append((handle, seconds))

    async def look(self, now: float, **loads: int) -> None:
        facts = {name.replace("_", "-"): {"connections": n} for name, n in loads.items()}
        self.elastic.adjust(facts, now)
        for _ in range(5):
            await asyncio.sleep(0)


async def test_a_full_shard_gets_a_neighbour() -> None:
    cluster = Cluster("otp-lane", "sender-push-0", "shard-0")
    await cluster.look(0, otp_lane=0, shard_0=11)
    assert cluster.made == ["shard-1"]
    assert cluster.actors["shard-1"] == "handle of shard-1"
    await cluster.look(1, shard_0=11, shard_1=0)
    assert cluster.made == ["shard-1"]


async def test_one_change_at_a_time() -> None:
    cluster = Cluster("shard-0")
    cluster.let.clear()
    for at in range(3):
        await cluster.look(at, shard_0=50)
    cluster.let.set()
    await cluster.look(3, shard_0=50)
    assert cluster.made == ["shard-1"]
    await cluster.look(4, shard_0=50)
    assert cluster.made == ["shard-1", "shard-2"]


async def test_a_shard_that_cannot_be_made_is_tried_again() -> None:
    cluster = Cluster("shard-0")
    cluster.broken = True
    await cluster.look(0, shard_0=50)
    assert cluster.actors.keys() == {"shard-0"}
    cluster.broken = False
    await cluster.look(1, shard_0=50)
    assert cluster.actors.keys() == {"shard-0", "shard-1"}


async def test_the_last_made_is_ended_over_as_long_as_the_others_need() -> None:
    cluster = Cluster("shard-0", "shard-10", "shard-2")
    for at in (0, IDLE_SECONDS):
        await cluster.look(at, shard_0=0, shard_2=0, shard_10=10)
    assert cluster.ended == [("handle of shard-10", 3.0)]
    assert cluster.actors.keys() == {"shard-0", "shard-2"}


async def test_a_name_is_free_again_when_its_shard_has_ended() -> None:
    cluster = Cluster("shard-0", "shard-1")
    for at in (0, IDLE_SECONDS):
        await cluster.look(at, shard_0=0, shard_1=0)
    await cluster.look(IDLE_SECONDS + 1, shard_0=50)
    assert cluster.made == ["shard-1"]


async def test_the_end_of_all_does_not_wait_for_a_slow_end_of_one() -> None:
    cluster = Cluster("shard-0", "shard-1")
    await cluster.look(0, shard_0=0, shard_1=0)
    cluster.let.clear()
    await cluster.look(IDLE_SECONDS, shard_0=0, shard_1=0)
    assert cluster.actors.keys() == {"shard-0"}
    await cluster.elastic.stop()
    assert cluster.actors == {"shard-0": "handle of shard-0", "shard-1": "handle of shard-1"}


async def test_the_end_of_all_waits_for_a_shard_that_is_being_made() -> None:
    cluster = Cluster("shard-0")
    cluster.let.clear()
    await cluster.look(0, shard_0=50)
    stopping = asyncio.create_task(cluster.elastic.stop())
    await asyncio.sleep(0)
    cluster.let.set()
    await stopping
    assert "shard-1" in cluster.actors


async def test_what_was_found_dying_is_forgotten_and_made_again() -> None:
    cluster = Cluster("otp-lane", "shard-0")
    await cluster.look(0, shard_0=50)
    cluster.elastic.forget(["otp-lane", "shard-0", "shard-1"])
    assert cluster.actors.keys() == {"otp-lane", "shard-0"}
    await cluster.look(1, shard_0=50)
    assert cluster.made == ["shard-1", "shard-1"]
    assert cluster.actors.keys() == {"otp-lane", "shard-0", "shard-1"}
