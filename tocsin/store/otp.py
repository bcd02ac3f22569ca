"""One-time passwords: made, kept, handed to the lane that delivers them, checked once.

The code exists in two places only: as an HMAC, against which a person's answer is checked, and
encrypted, for the lane (`deliverable`). Both go when it is verified, replaced, exhausted or over.
An account that does not exist gets a challenge too, one that nothing verifies: whoever asks sees
no difference, neither in the answer nor in the time it takes.
"""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from redis.asyncio import Redis

from tocsin.clock import Clock, SystemClock
from tocsin.errors import Refused
from tocsin.records import Channel, OtpChallenge
from tocsin.settings import Settings
from tocsin.store import keys
from tocsin.store.client import script
from tocsin.store.otp_crypto import OtpCrypto
from tocsin.store.traces import Traces

VALID_SECONDS: Final = 300
COOLDOWN_SECONDS: Final = 30
WINDOW_SECONDS: Final = 600
SENDS_PER_WINDOW: Final = 5
CHECKS_PER_CODE: Final = 5
FAILURES_TO_LOCK: Final = 100

_LIMITS = {
    "cooldown": "a code was sent a moment ago; wait before asking for another",
    "sends": f"{SENDS_PER_WINDOW} codes were sent within {WINDOW_SECONDS // 60} minutes",
    "locked": f"locked after {FAILURES_TO_LOCK} wrong codes in a row",
}


class Verdict(StrEnum):
    """`WRONG` is also what is said of a code used, over, replaced or never made."""

    VERIFIED = "verified"
    WRONG = "wrong"
    EXHAUSTED = "exhausted"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, repr=False)
class Deliverable:
    """A code on its last metres. `recipient` is a phone number, or ``platform:device token``."""

    code: str
    recipient: str
    channel: Channel

    def __repr__(self) -> str:
        return f"Deliverable(code=******, recipient=...{self.recipient[-2:]}, {self.channel})"


class OtpStore:
    """All limits count per (account, purpose) since its last successful verification, except the
    lock, which counts an account's wrong codes in a row over all purposes."""

    def __init__(self, client: Redis, settings: Settings, clock: Clock | None = None) -> None:
        """Raises `ConfigError` without a proper TOCSIN_OTP_SECRET."""
        self._client = client
        self._crypto = OtpCrypto(settings)
        self._clock = clock or SystemClock()
        self._create = script(client, "otp_create")
        self._verify = script(client, "otp_verify")
        self._withdraw = script(client, "otp_withdraw")

    async def create(
        self, user_id: str, channel: Channel, purpose: str, recipient: str | None
    ) -> OtpChallenge:
        """A new code in the place of the old one. `recipient` None makes one nothing verifies.

        Raises `Refused` with code ``otp_cooldown``, ``otp_sends`` (both with `retry_after`
        seconds) or ``otp_locked``.
        """
        challenge_id = self._crypto.challenge_id(user_id, purpose)
        fields = self._sealed(challenge_id, channel, purpose, recipient)
        said, wait = await self._create(
            keys=_keys(challenge_id),
            args=[
                VALID_SECONDS, COOLDOWN_SECONDS * 1000, WINDOW_SECONDS * 1000, SENDS_PER_WINDOW,
                FAILURES_TO_LOCK, *(part for field in fields.items() for part in field),
            ],
        )  # fmt: skip
        if said != b"ok":
            word = said.decode()
            raise Refused(f"otp_{word}", _LIMITS[word], int(wait) / 1000 if wait else None)
        expires_at = self._clock.now() + timedelta(seconds=VALID_SECONDS)
        return OtpChallenge(challenge_id, user_id, channel, purpose, expires_at)

    def _sealed(
        self, challenge_id: str, channel: Channel, purpose: str, recipient: str | None
    ) -> dict[str, str | bytes]:
        """What Redis keeps of a code. Without a recipient the same work is done, and spoilt."""
        code = f"{secrets.randbelow(10**6):06d}"
        mac = self._crypto.mac(purpose, recipient or "", challenge_id, code)
        box = self._crypto.seal(challenge_id, [code, recipient or "", channel])
        return {
            "id": challenge_id,
            "purpose": purpose,
            "recipient": recipient or "",
            "mac": mac if recipient else os.urandom(len(mac)),
            "box": box if recipient else os.urandom(len(box)),
        }

    async def verify(self, challenge_id: str, code: str) -> Verdict:
        """Check, count and consume. Whatever is wrong with the id or the code is `WRONG`."""
        if not self._crypto.well_formed(challenge_id):
            return Verdict.WRONG
        names = _keys(challenge_id)
        # both calls are made whether or not there is such a challenge
        bound = await self._client.hmget(names[0], ["purpose", "recipient"])
        mac = self._crypto.mac(*(_text(part) for part in bound), challenge_id, code)
        args: list[str | bytes | int] = [challenge_id, mac, CHECKS_PER_CODE, FAILURES_TO_LOCK]
        return Verdict((await self._verify(keys=names, args=args)).decode())

    def is_of(self, challenge_id: str, user_id: str) -> bool:
        """Whether a challenge, if it is one at all, is this account's."""
        return challenge_id.partition(".")[0] == self._crypto.account(user_id)

    async def withdraw(self, challenge_id: str) -> None:
        """Undo a `create` whose challenge could not be handed on (Kafka is away)."""
        await self._withdraw(keys=_keys(challenge_id)[:2], args=[challenge_id])

    async def deliverable(self, challenge_ids: Sequence[str]) -> list[Deliverable | None]:
        """The codes to send, in one call; None where it is over, replaced, used or never was."""
        if not challenge_ids:
            return []
        async with self._client.pipeline(transaction=False) as pipe:
            for challenge_id in challenge_ids:
                pipe.hmget(_keys(challenge_id)[0], ["id", "box"])
            found = await pipe.execute()
        return [
            self._opened(challenge_id, live, box)
            for challenge_id, (live, box) in zip(challenge_ids, found, strict=True)
        ]

    def _opened(
        self, challenge_id: str, live: bytes | None, box: bytes | None
    ) -> Deliverable | None:
        if box is None or live != challenge_id.encode():
            return None
        opened = self._crypto.open(challenge_id, box)
        return Deliverable(opened[0], opened[1], Channel(opened[2])) if opened else None

    async def forget(self, user_id: str) -> None:
        """Lift an account's lock and forget its count of wrong codes."""
        await self._client.delete(keys.otp_failures(self._crypto.account(user_id)))

    async def erase(self, user_id: str) -> None:
        """Remove all there is of an account. Looks at every key there is (store/traces.py)."""
        await Traces(self._client).remove([keys.otp_of(self._crypto.account(user_id))])


def _keys(challenge_id: str) -> list[str]:
    """The three keys of a challenge, all in one hash slot. Its id names them: no look-up."""
    account, purpose, *_ = [*challenge_id.split("."), ""]
    return [
        keys.otp_code(account, purpose),
        keys.otp_sends(account, purpose),
        keys.otp_failures(account),
    ]


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
