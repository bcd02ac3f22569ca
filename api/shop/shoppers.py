"""Who shops here: people of the demo's own numbers, and nobody else."""

import re
from datetime import datetime
from hashlib import shake_256
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tocsin.errors import Invalid
from tocsin.records import Device, Profile

PREFIX: Final = "+4477009"
"""Nobody's phone: next to the numbers that are kept for films, and only the sandbox is called."""

_NUMBER: Final = re.compile(re.escape(PREFIX) + r"\d{5}", re.ASCII)
_SEPARATORS: Final = re.compile(r"[\s().-]+")
_SHOWN: Final = 2


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to log in, and on which phone."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S")]
    number: Annotated[str, Meta(max_length=32)]


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code off the phone."""

    number: Annotated[str, Meta(max_length=32)]
    challenge_id: Annotated[str, Meta(min_length=1, max_length=128)]
    code: Annotated[str, Meta(pattern=r"^[0-9]{6}$")]


def demo_number(text: str, field: str = "number") -> str:
    """E.164, however it was spelt. Raises `Invalid` for a number that may be somebody's."""
    plain = _SEPARATORS.sub("", text)
    if plain.startswith("0"):
        plain = "+44" + plain[1:]
    if not _NUMBER.fullmatch(plain):
        raise Invalid(field, f"the demo calls its own numbers only: {PREFIX} and five digits")
    return plain


def user_id_of(number: str) -> str:
    """One account per number."""
    return f"shopper-{number.removeprefix(PREFIX)}"


def shopper(name: str, number: str, now: datetime) -> Profile:
    """A person with every way to be reached: a phone, an app on it, a mailbox."""
    user_id = user_id_of(number)
    token = shake_256(f"shop {user_id}".encode()).hexdigest(70)
    app = Device("android", f"{token[:22]}:APA91b{token[22:]}", now)
    return Profile(
        user_id=user_id,
        name=" ".join(name.split()),
        phone=number,
        email=f"{user_id}@shoppers.example",
        devices={"phone": app},
        created_at=now,
    )


def addresses(profile: Profile) -> list[str]:
    """Where messages for this person arrive."""
    devices = [device.token for device in profile.devices.values()]
    return [a for a in (profile.phone, profile.email, *devices) if a and "," not in a]


def masked(user_id: str) -> str:
    """Enough to tell two people apart, not enough to know either."""
    if len(user_id) <= 3 * _SHOWN:
        return user_id[:1] + "•••"
    return f"{user_id[:_SHOWN]}•••{user_id[-_SHOWN:]}"
