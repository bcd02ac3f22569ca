"""Who is sending a delivery, and what came of it: each message goes out once.

A delivery's key is absent, then ``c`` (claimed by one incarnation of one sender), then either
``n`` (this attempt ended, retry it) or ``r`` (ended for good). Whatever died in between, the next
reader of the same batch finds which of these it was:

- absent: send;
- ``r`` / ``n`` of this attempt: nothing to send, say the same result again;
- ``c`` of this incarnation: this very process is at it, or was and lost the thread;
- ``c`` of another incarnation of this name: that process died in mid-call, so the send is
  *ambiguous*;
- ``c`` of another name: the same after `LEASE_SECONDS`, and until then that sender is taken to
  live (two names meet when a pool is resized).

A delivery whose notification was taken back (store/cancellations.py) is not claimed any more.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec
from redis.asyncio import Redis

from tocsin.errors import StoreEmptied
from tocsin.records.outcome import State
from tocsin.store import keys
from tocsin.store.client import raw, script

LEASE_SECONDS: Final = 60
"""How long a sender of another name leaves a claim alone; no claim may be worked on for longer."""


class SendResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one attempt came to. `retry_after` (seconds) may come with RETRY and DEFERRED. Where it
    went and what it said is told as in `Outcome`: no address and no word is in the store."""

    delivery_id: str
    state: State
    reason: str = ""
    provider: str = ""
    provider_message_id: str = ""
    retry_after: float | None = None
    ambiguous: bool = False
    destination: str = ""
    content_hash: int = 0
    data_hash: int = 0


class Standing(StrEnum):
    """What a claim found."""

    FRESH = "fresh"
    ENDED = "ended"
    AMBIGUOUS = "ambiguous"
    OWN = "own"
    BUSY = "busy"
    CANCELLED = "cancelled"
    LOST = "lost"


class Claim(msgspec.Struct, frozen=True):
    """`result` is there exactly when `standing` is ENDED."""

    standing: Standing
    result: SendResult | None = None


_NONE: Final[Mapping[str, str]] = {}
_BY_LETTER: Final = {
    b"f": Claim(Standing.FRESH),
    b"o": Claim(Standing.OWN),
    b"a": Claim(Standing.AMBIGUOUS),
    b"b": Claim(Standing.BUSY),
    b"x": Claim(Standing.CANCELLED),
    b"y": Claim(Standing.LOST),
}


class Claims:
    """The claims of one sender. `owner` is ``name:incarnation``: the name stays over restarts, the
    incarnation (without a colon) differs for every start of the process."""

    def __init__(self, client: Redis, owner: str, hours: float = 6) -> None:
        self._owner = owner
        self._seconds = int(hours * 3600)
        self._take = script(client, "claim")
        self._settle = script(client, "settle")
        self._decode = msgspec.json.Decoder(SendResult).decode

    async def take(
        self, deliveries: Sequence[tuple[str, int]], off: Mapping[str, str] = _NONE
    ) -> list[Claim]:
        """Claim (delivery_id, attempt) pairs in one call. `off` (`Cancellations.broadcasts_off`)
        names those that are taken back by another id than their notification's. Raises
        `StoreEmptied`.

        An AMBIGUOUS one is now ours: whoever held it is gone. A BUSY one is not: settle nothing.
        Nor is one that was taken back: CANCELLED before anybody sent it, LOST when somebody died
        with it.
        """
        if not deliveries:
            return []
        names = [keys.claim(delivery_id) for delivery_id, _ in deliveries]
        notifications = [delivery_id.rpartition(":")[0] for delivery_id, _ in deliveries]
        names += [keys.cancelled(off.get(name, name)) for name in notifications]
        lease = str(LEASE_SECONDS * 1000)
        args = [self._owner, str(self._seconds), lease, *(str(a) for _, a in deliveries)]
        found = await self._take(keys=[*names, keys.STORE_READY], args=args)
        if not found:
            raise StoreEmptied
        return [self._read(value) for value in found]

    async def settle(self, results: Sequence[tuple[SendResult, int]]) -> None:
        """Record (result, attempt) pairs, in one call, before anyone is told."""
        if not results:
            return
        names = [keys.claim(result.delivery_id) for result, _ in results]
        args: list[str | bytes] = [str(self._seconds)]
        for result, attempt in results:
            if result.state is State.DEFERRED:
                args.append(b"")  # nothing was tried: it is as if it had never been claimed
                continue
            kind = b"n" if result.state is State.RETRY else b"r"
            args.append(b"%b:%d:%b" % (kind, attempt, msgspec.json.encode(result)))
        await self._settle(keys=names, args=args)

    def _read(self, value: bytes) -> Claim:
        if (standing := _BY_LETTER.get(value)) is not None:
            return standing
        return Claim(Standing.ENDED, self._decode(value.split(b":", 2)[2]))


class Begun:
    """Which deliveries were handed on before, whatever came of them: who decides on one a second
    time, after a crash, must not say anything else of it than its sender does."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def among(self, deliveries: Sequence[tuple[str, int]]) -> set[str]:
        """The delivery ids of those (delivery_id, attempt) pairs of which this attempt, or a later
        one, was claimed. One MGET."""
        if not deliveries:
            return set()
        found = raw(await self._client.mget([keys.claim(name) for name, _ in deliveries]))
        return {
            name
            for (name, attempt), value in zip(deliveries, found, strict=True)
            if value is not None and not _ended_before(value, attempt)
        }


def _ended_before(value: bytes, attempt: int) -> bool:
    kind, number, _ = value.split(b":", 2)
    return kind == b"n" and int(number) < attempt
