"""A block: records of one topic between fixed offsets, inserted once however often it is sent.

The token is made of the offsets and of the records' bytes. Equal tokens are therefore equal rows,
even when offsets start again from zero: the embedded broker's log does not outlive the system, but
ClickHouse and its memory of tokens do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from analytics.writer.rows import Record


class Range(NamedTuple):
    """Offsets of one partition: from `start` up to, not including, `end`."""

    partition: int
    start: int
    end: int


@dataclass(frozen=True)
class Block:
    """Frozen before it is first sent. Records are in order of partition and offset."""

    topic: str
    ranges: tuple[Range, ...]
    records: tuple[Record, ...]

    @property
    def plan(self) -> str:
        """The ranges as text: `0:120-180,1:44-90`."""
        return said(self.ranges)

    @property
    def token(self) -> str:
        """For `insert_deduplication_token`: topic, ranges, and a digest of the records."""
        digest = blake2b(digest_size=8)
        for record in self.records:
            digest.update(b"%d:%d:%d:" % (record.partition, record.offset, len(record.value)))
            # a tombstone says all it says with its key
            digest.update(record.value or record.key)
        return f"{self.topic}:{self.plan}:{digest.hexdigest()}"


def said(ranges: Iterable[Range]) -> str:
    """Ranges as `partition:start-end,...`."""
    return ",".join(f"{r.partition}:{r.start}-{r.end}" for r in ranges)


def read(text: str) -> tuple[Range, ...]:
    """The inverse of `said`."""
    parts = (part.replace("-", ":").split(":") for part in text.split(",") if part)
    return tuple(Range(int(p), int(start), int(end)) for p, start, end in parts)


class Taken:
    """What has been read of one topic since its last block. Not thread-safe."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.bytes = 0
        self._starts: dict[int, int] = {}
        self._records: dict[int, list[Record]] = {}

    def add(self, start: int, records: list[Record]) -> None:
        """Records of one partition; `start` is where the partition's last block ended."""
        partition = records[0].partition
        self._starts.setdefault(partition, start)
        self._records.setdefault(partition, []).extend(records)
        self.bytes += sum(len(record.value) for record in records)

    def freeze(self) -> Block:
        """Everything taken, as a block."""
        parts = sorted(self._records.items())
        return Block(
            topic=self.topic,
            ranges=tuple(Range(p, self._starts[p], rs[-1].offset + 1) for p, rs in parts),
            records=tuple(record for _, records in parts for record in records),
        )
