"""The Idempotency-Key header: work done once, though asked twice, at once or after a crash."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final

from fastapi import Request

from tocsin.errors import Invalid, Refused
from tocsin.ids import derived_id
from tocsin.store.idempotency import Idempotency

HEADER: Final = "Idempotency-Key"
_MOST_CHARS: Final = 255


class Key:
    """One key of one caller, with the request it came with.

    Ids are derived from all three. So when a first attempt died between its reservation and
    Kafka's acknowledgement, or is still at it, the second publishes the same ids, and whatever
    reached Kafka twice is recognised downstream.
    """

    def __init__(self, store: Idempotency, caller: str, key: str, request: bytes) -> None:
        self._store, self._caller, self._key = store, caller, key
        self._fingerprint = sha256(request).digest()
        self._root = ("idempotency", caller, key, self._fingerprint.hex())

    def id(self, index: int) -> str:
        """The id of the request's `index`-th effect."""
        return derived_id(*self._root, str(index))

    async def once(self, work: Callable[[], Awaitable[bytes]]) -> bytes:
        """What `work` answered, now or before (not empty). What it refuses is not kept."""
        begun = await self._store.begin(self._caller, self._key, self._fingerprint)
        if begun.answer is not None:
            return begun.answer
        try:
            answer = await work()
        except (Invalid, Refused):
            if begun.fresh:
                await self._store.abandon(self._caller, self._key)
            raise
        await self._store.finish(self._caller, self._key, self._fingerprint, answer)
        return answer


def key_of(request: Request, store: Idempotency, caller: str, body: bytes) -> Key | None:
    """The request's key, if it has one. Raises `Invalid` for one that is empty or too long."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= _MOST_CHARS:
        raise Invalid("", f"header `{HEADER}`: 1 to {_MOST_CHARS} characters")
    return Key(store, caller, key, request.url.path.encode() + b"\0" + body)
