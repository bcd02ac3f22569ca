"""Every receipt the sandbox accepted, numbered; cheap to append to, bounded, rendered when asked.

A receipt is kept as one packed `bytes` (what identifies it) and the bytes that arrived (what it
says). Past `capacity` the oldest receipts go; past `content_bytes` the oldest contents go first and
their receipts stay. Both are counted, and a reader is told.
"""

import builtins
import logging
from array import array
from collections import Counter
from collections.abc import Container, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from loadtest.sandbox.verdict import Provider, Receipt

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[str, str, str, str, str, str]).decode
_log = logging.getLogger(__name__)

CAPACITY: Final = 4_000_000
CONTENT_BYTES: Final = 512 << 20
_NAMED_DUPLICATES: Final = 100


class Entry(NamedTuple):
    """One receipt as read back. `content` is None once it was dropped for room."""

    sequence: int
    received_at: float
    provider: str
    recipient: str
    id: str
    delivery_id: str
    type: str
    collapse_id: str
    bytes: int
    content: builtins.bytes | None


class Journal:
    """An append-only ring. Sequence numbers start at 1 and never repeat, not even after `clear`."""

    def __init__(self, capacity: int = CAPACITY, content_bytes: int = CONTENT_BYTES) -> None:
        self._capacity, self._budget = capacity, content_bytes
        self.last = 0
        self._reset()

    def _reset(self) -> None:
        self.first = self.last + 1
        self._base = self.last
        self._heads: list[bytes] = []
        self._contents: list[bytes | None] = []
        self._times = array("d")
        self._sizes = array("I")
        self._held = 0
        self._content_from = self.first
        # 64-bit hashes, not strings: 70 bytes each. Two of 2 million collide once in 10^7 runs
        self._seen: set[int] = set()
        self.accepted: Counter[str] = Counter()
        self.rejected: Counter[tuple[str, str]] = Counter()
        self.duplicates = self.unnamed = self.dropped = self.dropped_contents = 0
        self.duplicate_ids: list[str] = []

    def clear(self) -> None:
        """Forget every receipt and every count."""
        self._reset()

    def accept(self, receipt: Receipt, at: float) -> int:
        """Append, and return the sequence number. `at` is Unix seconds."""
        provider, recipient, id_, delivery_id, type_, content, collapse_id = receipt
        head = _pack((provider, recipient, id_, delivery_id, type_, collapse_id))
        self.last += 1
        if len(self._heads) < self._capacity:
            self._heads.append(head)
            self._contents.append(content)
            self._times.append(at)
            self._sizes.append(len(content))
        else:
            self._overwrite(head, content, at)
        self._held += len(content)
        if self._held > self._budget:
            self._drop_contents()
        self.accepted[provider] += 1
        self._count_duplicate(delivery_id, recipient)
        return self.last

    def reject(self, provider: Provider, reason: str) -> None:
        """Count a refusal by the provider's own word."""
        self.rejected[provider, reason] += 1

    def _count_duplicate(self, delivery_id: str, recipient: str) -> None:
        """The same delivery to the same address twice; a user's two devices are two addresses."""
        if not delivery_id:
            self.unnamed += 1
            return
        key = hash((delivery_id, recipient))
        if key not in self._seen:
            self._seen.add(key)
            return
        self.duplicates += 1
        if len(self.duplicate_ids) < _NAMED_DUPLICATES:
            self.duplicate_ids.append(delivery_id)

    def _slot(self, sequence: int) -> int:
        return (sequence - self._base - 1) % self._capacity

    def _overwrite(self, head: bytes, content: bytes, at: float) -> None:
        if not self.dropped:
            _log.warning("journal full at %d receipts: the oldest are dropped now", self._capacity)
        slot = self._slot(self.last)
        _, recipient, _, delivery_id, _, _ = _unpack(self._heads[slot])
        self._seen.discard(hash((delivery_id, recipient)))
        self._release(slot)
        self.first += 1
        self._content_from = max(self._content_from, self.first)
        self.dropped += 1
        self._heads[slot], self._contents[slot] = head, content
        self._times[slot], self._sizes[slot] = at, len(content)

    def _release(self, slot: int) -> bool:
        content = self._contents[slot]
        self._contents[slot] = None
        self._held -= len(content) if content is not None else 0
        return content is not None

    def _drop_contents(self) -> None:
        if not self.dropped_contents:
            _log.warning("journal holds %d bytes: the oldest contents are dropped", self._budget)
        while self._held > self._budget:
            self.dropped_contents += self._release(self._slot(self._content_from))
            self._content_from += 1

    def entry(self, sequence: int) -> Entry:
        """Raises `IndexError` for a number that is not (or no longer) here."""
        if not self.first <= sequence <= self.last:
            raise IndexError(sequence)
        slot = self._slot(sequence)
        provider, recipient, id_, delivery_id, type_, collapse_id = _unpack(self._heads[slot])
        return Entry(
            sequence, self._times[slot], provider, recipient, id_, delivery_id, type_, collapse_id,
            self._sizes[slot], self._contents[slot],
        )  # fmt: skip

    def entries(
        self,
        since: int = 0,
        provider: str | None = None,
        recipients: Container[str] | None = None,
    ) -> Iterator[Entry | None]:
        """Receipts after `since`, oldest first, as far as the journal reached when asked.

        Another provider's or recipient's is yielded as None, so that a reader can count its work.
        """
        for sequence in range(max(since + 1, self.first), self.last + 1):
            if sequence < self.first:  # overtaken by the ring while the reader paused
                continue
            entry = self.entry(sequence)
            wanted = recipients is None or entry.recipient in recipients
            yield entry if wanted and provider in (None, entry.provider) else None

    def summary(self) -> dict[str, Any]:
        """Counts, for a checker and for a person."""
        reasons: dict[str, dict[str, int]] = {}
        for (provider, reason), count in self.rejected.items():
            reasons.setdefault(provider, {})[reason] = count
        return {
            "accepted": dict(self.accepted),
            "rejected": {name: sum(counts.values()) for name, counts in reasons.items()},
            "rejected_reasons": reasons,
            "duplicates": self.duplicates,
            "duplicate_ids": self.duplicate_ids,
            "without_delivery_id": self.unnamed,
            "first": self.first,
            "last": self.last,
            "truncated": self.dropped > 0,
            "dropped_receipts": self.dropped,
            "dropped_contents": self.dropped_contents,
        }
