"""Dead device tokens leave the profile; anything newer stays."""

from collections.abc import Callable

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from actors.decide import Address
from actors.forget import forget_devices
from actors.message import Sent
from tests.unit.actors.makers import profile
from tocsin.errors import AddressGone, Permanent, Refused, SendError, StoreEmptied
from tocsin.records import Device, Profile

DEAD, LIVE = Address("ios", "d" * 64, "old"), Address("android", "l" * 64, "new")
ANSWERS: list[Sent | SendError] = [AddressGone("Unregistered", "apns"), Sent("fcm", "1")]


class FakeProfiles:
    """One profile."""

    def __init__(self, kept: Profile | None, error: Exception | None = None) -> None:
        self.kept, self.error, self.changes = kept, error, 0

    async def change(self, user_id: str, step: Callable[[Profile | None], Profile]) -> Profile:
        if self.error:
            raise self.error
        self.kept = step(self.kept)
        self.changes += 1
        return self.kept


def person(token: str) -> Profile:
    devices = {"old": Device("ios", token), "new": Device("android", LIVE.value)}
    return profile(devices=devices)


async def forget(profiles: FakeProfiles, answers: list[Sent | SendError]) -> None:
    await forget_devices(profiles, "u1", [DEAD, LIVE], answers)  # type: ignore[arg-type]


async def test_a_dead_token_goes_and_the_others_stay() -> None:
    profiles = FakeProfiles(person(DEAD.value))
    await forget(profiles, ANSWERS)
    assert profiles.kept is not None
    assert list(profiles.kept.devices) == ["new"]


@pytest.mark.parametrize("kept", [None, person("another token")])
async def test_a_token_renewed_meanwhile_stays(kept: Profile | None) -> None:
    profiles = FakeProfiles(kept)
    await forget(profiles, ANSWERS)
    assert profiles.changes == 0
    assert profiles.kept == kept


async def test_a_refusal_that_is_about_us_removes_nothing() -> None:
    profiles = FakeProfiles(person(DEAD.value))
    await forget(profiles, [Permanent("BadDeviceToken", "apns"), Sent("fcm", "1")])
    assert profiles.changes == 0


@pytest.mark.parametrize(
    "error", [RedisConnectionError("away"), StoreEmptied(), Refused("busy", "busy")]
)
async def test_it_never_fails_the_delivery(error: Exception) -> None:
    await forget(FakeProfiles(person(DEAD.value), error), ANSWERS)
