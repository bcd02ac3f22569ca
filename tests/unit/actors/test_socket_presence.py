"""The registry follows who is connected."""

import asyncio
from collections.abc import AsyncIterator, Collection

import pytest
from redis.exceptions import ConnectionError as StoreGone

from actors.sockets.presence import Presence
from tocsin.store.registry import Registry


class FakeRegistry(Registry):
    """Keeps the set itself; each update waits for `let` and may fail."""

    def __init__(self) -> None:
        self.here: set[str] = set()
        self.calls = 0
        self.held = self.fails = False
        self.let = asyncio.Event()
        self.let.set()

    async def update(self, joined: Collection[str], left: Collection[str]) -> None:
        self.calls += 1
        await self.let.wait()
        if self.fails:
            raise StoreGone("gone")
        self.here = (self.here | set(joined)) - set(left)

    async def renew(self) -> bool:
        return self.held


@pytest.fixture
async def registry() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def connected() -> set[str]:
    return set()


@pytest.fixture
async def presence(registry: FakeRegistry, connected: set[str]) -> AsyncIterator[Presence]:
    presence = Presence(registry, connected)
    running = asyncio.create_task(presence.run())
    yield presence
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_many_arrivals_are_one_call(
    presence: Presence, registry: FakeRegistry, connected: set[str]
) -> None:
    connected.update(f"u{i}" for i in range(100))
    assert all(await asyncio.gather(*(presence.settled(user) for user in connected)))
    assert registry.here == connected
    assert registry.calls == 1


async def test_a_return_during_a_departure_is_not_overtaken_by_it(
    presence: Presence, registry: FakeRegistry, connected: set[str]
) -> None:
    connected.add("u")
    await presence.settled("u")
    connected.clear()
    registry.let.clear()
    presence.note(["u"])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert registry.calls == 2
    connected.add("u")
    back = asyncio.create_task(presence.settled("u"))
    registry.let.set()
    assert await back
    assert registry.here == {"u"}


async def test_what_could_not_be_told_is_told_later(
    presence: Presence, registry: FakeRegistry, connected: set[str]
) -> None:
    connected.add("u")
    registry.fails = True
    assert not await presence.settled("u")
    registry.fails, registry.held = False, True
    await presence.refresh(connected)
    assert await presence.settled("other")
    assert registry.here == {"u"}


async def test_after_a_lost_lease_everyone_is_told_anew(
    presence: Presence, registry: FakeRegistry, connected: set[str]
) -> None:
    connected.update(["a", "b"])
    await presence.refresh(connected)
    assert await presence.settled("a")
    assert registry.here == {"a", "b"}
