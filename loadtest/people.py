"""Customers as they look to Tocsin: made from their id, the same every time, and nobody real.

Mail goes to example domains (RFC 2606), phones are in the 555-01XX range that North American
numbering keeps for fiction, device tokens are hashes of the right shape.
"""

import re
from hashlib import sha256, shake_256
from typing import Final

from tocsin.records import Device, Profile

_FIRST: Final = (
    "Ada", "Ben", "Cleo", "Dev", "Edith", "Femi", "Grace", "Hugo",
    "Iris", "Jonas", "Kira", "Leo", "Mina", "Noor", "Otto", "Priya",
)  # fmt: skip
_LAST: Final = (
    "Archer", "Baker", "Cooper", "Draper", "Fletcher", "Glover", "Hooper", "Mason",
    "Potter", "Sawyer", "Slater", "Tanner", "Turner", "Weaver", "Webb", "Wright",
)  # fmt: skip
_MAILBOX = re.compile(r"[A-Za-z0-9._-]{1,48}")
_NUMBERED = re.compile(r"[0-9]+$")
_AREAS, _LINES = 800, 100


def person(user_id: str) -> Profile:
    """A customer with an email, a phone, and one device or two (a third have only the iOS one, a
    third only the Android one).

    Phones go by the number an id ends in and differ within any 80,000 consecutive ones; those of
    other ids may meet.
    """
    digest = sha256(user_id.encode()).digest()
    return Profile(
        user_id=user_id,
        name=f"{_FIRST[digest[0] % 16]} {_LAST[digest[1] % 16]}",
        email=_email(user_id, digest),
        phone=_phone(user_id, digest),
        devices=_devices(user_id, digest[2] % 3),
    )


def _email(user_id: str, digest: bytes) -> str:
    mailbox = user_id if _MAILBOX.fullmatch(user_id) else digest.hex()[:32]
    return f"customer-{mailbox}@customers.example"


def _phone(user_id: str, digest: bytes) -> str:
    counted = _NUMBERED.search(user_id)
    number = int(counted[0]) if counted else int.from_bytes(digest[:8])
    return f"+1{200 + number // _LINES % _AREAS}55501{number % _LINES:02d}"


def _devices(user_id: str, kind: int) -> dict[str, Device]:
    found = {}
    if kind != 1:
        found["ios"] = Device("ios", sha256(f"ios {user_id}".encode()).hexdigest())
    if kind != 0:
        token = shake_256(f"android {user_id}".encode()).hexdigest(70)
        found["android"] = Device("android", f"{token[:22]}:APA91b{token[22:]}")
    return found
