"""Known users: many who ask at once share a call."""

import asyncio

import pytest

from api.known import KnownUsers
from tocsin.store import Profiles


class FakeProfiles(Profiles):
    """Knows the users whose name begins with k; counts calls; may fail."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.error: Exception | None = None

    async def known(self, user_ids: object) -> list[bool]:
        asked = [str(u) for u in user_ids]  # type: ignore[attr-defined]
        self.calls.append(asked)
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return [u.startswith("k") for u in asked]


async def test_each_gets_its_own_answer_from_a_shared_call() -> None:
    profiles = FakeProfiles()
    users = KnownUsers(profiles)
    names = ["k1", "x1", "k2", "k1"]
    assert await asyncio.gather(*(users.one(n) for n in names)) == [True, False, True, True]
    assert len(profiles.calls) == 1
    assert sorted(profiles.calls[0]) == ["k1", "k2", "x1"]


async def test_who_asks_while_a_call_is_under_way_shares_the_next() -> None:
    profiles = FakeProfiles()
    users = KnownUsers(profiles)
    first = asyncio.create_task(users.one("k1"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [asyncio.create_task(users.one(f"k{i}")) for i in range(2, 6)]
    assert await first
    assert all(await asyncio.gather(*later))
    assert [len(call) for call in profiles.calls] == [1, 4]


async def test_a_failure_is_told_to_all_and_the_next_call_works() -> None:
    profiles = FakeProfiles()
    users = KnownUsers(profiles)
    profiles.error = ConnectionError("away")
    found = await asyncio.gather(users.one("k1"), users.one("k2"), return_exceptions=True)
    assert [type(f) for f in found] == [ConnectionError] * 2
    profiles.error = None
    assert await users.one("k1")


async def test_who_gave_up_does_not_spoil_it_for_others() -> None:
    users = KnownUsers(FakeProfiles())
    gone = asyncio.create_task(users.one("k1"))
    stays = asyncio.create_task(users.one("k1"))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays
    with pytest.raises(asyncio.CancelledError):
        await gone
