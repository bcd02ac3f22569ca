"""Who is sending a delivery, and what came of it: each message goes out once.

A delivery's key is absent, then ``c`` (claimed by one incarnation of one sender), then either
``n`` (this attempt ended, retry it) or ``r`` (ended for good). Whatever died in between, the next
reader of the same batch finds which of these it was:

- absent: send;
- ``r`` / ``n`` of this attempt: nothing to send, say the same result again;
- ``c`` of another incarnation: that process died in mid-call, so the send is *ambiguous*.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
from redis.asyncio import Redis

from tocsin.records.outcome import State
from tocsin.store import keys
from tocsin.store.client import script


class SendResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one attempt came to. `retry_after` (seconds) may come with State.RETRY only."""

    delivery_id: str
    state: State
    reason: str = ""
    provider: str = ""
    provider_message_id: str = ""
    retry_after: float | None = None
    ambiguous: bool = False


class Standing(StrEnum):
    """What a claim found."""

    FRESH = "fresh"
    ENDED = "ended"
    AMBIGUOUS = "ambiguous"


class Claim(msgspec.Struct, frozen=True):
    """`result` is there exactly when `standing` is ENDED."""

    standing: Standing
    result: SendResult | None = None


class Claims:
    """The claims of one sender. `owner` must differ for every start of the process."""

    def __init__(self, client: Redis, owner: str, hours: float = 6) -> None:
        self._owner = owner
        self._seconds = int(hours * 3600)
        self._take = script(client, "claim")
        self._settle = script(client, "settle")
        self._decode = msgspec.json.Decoder(SendResult).decode

    async def take(self, deliveries: Sequence[tuple[str, int]]) -> list[Claim]:
        """Claim (delivery_id, attempt) pairs in one call.

        An AMBIGUOUS one is now ours: whoever held it is gone.
        """
        if not deliveries:
            return []
        names = [keys.claim(delivery_id) for delivery_id, _ in deliveries]
        args = [self._owner, str(self._seconds), *(str(a) for _, a in deliveries)]
        return [self._read(value) for value in await self._take(keys=names, args=args)]

    async def settle(self, results: Sequence[tuple[SendResult, int]]) -> None:
        """Record (result, attempt) pairs, in one call, before anyone is told."""
        if not results:
            return
        names = [keys.claim(result.delivery_id) for result, _ in results]
        args: list[str | bytes] = [str(self._seconds)]
        for result, attempt in results:
            kind = b"n" if result.state is State.RETRY else b"r"
            args.append(b"%b:%d:%b" % (kind, attempt, msgspec.json.encode(result)))
        await self._settle(keys=names, args=args)

    def _read(self, value: bytes) -> Claim:
        if value == b"f":
            return Claim(Standing.FRESH)
        if value == b"a":
            return Claim(Standing.AMBIGUOUS)
        return Claim(Standing.ENDED, self._decode(value.split(b":", 2)[2]))
