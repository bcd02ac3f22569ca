"""Device tokens that a provider calls dead leave the profile, once, and only if still the same."""

import logging
from collections.abc import Sequence

from msgspec.structs import replace
from redis.exceptions import RedisError

from actors.decide import Address
from actors.message import Sent
from tocsin.errors import AddressGone, EngineUnavailable, Refused, SendError
from tocsin.records import Profile
from tocsin.store import Profiles

log = logging.getLogger(__name__)


class _AlreadyGoneError(Exception):
    """Somebody registered the device anew, or removed it."""


async def forget_devices(
    profiles: Profiles,
    user_id: str,
    to: Sequence[Address],
    answers: Sequence[Sent | SendError],
) -> None:
    """Remove the devices whose token is gone. A phone or a mailbox stays: it is the person's word,
    and only reported. Never fails: a token left behind is refused again next time."""
    gone = [
        address
        for address, answer in zip(to, answers, strict=True)
        if isinstance(answer, AddressGone) and address.key
    ]
    if not gone:
        return
    try:
        await profiles.change(user_id, lambda profile: without(profile, gone))
    except _AlreadyGoneError:
        return
    except (RedisError, EngineUnavailable, Refused) as error:
        log.warning("%d dead device tokens not removed: %s", len(gone), type(error).__name__)


def without(profile: Profile | None, gone: Sequence[Address]) -> Profile:
    """The profile less those devices that still have the dead token."""
    if profile is None:
        raise _AlreadyGoneError
    dead = {(address.key, address.value) for address in gone}
    kept = {k: d for k, d in profile.devices.items() if (k, d.token) not in dead}
    if len(kept) == len(profile.devices):
        raise _AlreadyGoneError
    return replace(profile, devices=kept)
