"""What a stopping in-memory log still holds, kept on disk until its next life.

Saved: every record some consumer group has not finished, and all dead letters; of the compacted
topics the newest value of every key, and tombstones not finished. With them go the groups'
positions, so that in the next log each group goes on exactly where it was.
"""

import os
from pathlib import Path
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord

from tocsin.errors import ConfigError
from tocsin.groups import READS
from tocsin.kafka import PLACE_HEADER, start_producer
from tocsin.lag import LagMeter, Positions
from tocsin.settings import Settings
from tocsin.topics import ALL, DEAD, MAX_RECORD_BYTES

_WHOLE: Final = frozenset({DEAD.name, *(t.name for t in ALL if t.compacted)})
_COMPACTED: Final = frozenset(t.name for t in ALL if t.compacted)


class Spooled(msgspec.Struct, frozen=True, array_like=True):
    """One record with the offset it had; `finished` names the groups that were past it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    finished: list[str]


class _Header(msgspec.Struct, frozen=True):
    version: int
    unfinished: int


class Spool(_Header, frozen=True):
    """Records in log order per partition; `unfinished` of them some group has still to finish."""

    records: list[Spooled]


async def save(settings: Settings, path: Path) -> int:
    """Write the spool; returns how many of its records somebody still has to finish."""
    async with LagMeter(settings, topics=ALL) as meter:
        positions = await meter.positions()
    records = await _read(settings, positions)
    kept = _compacted([_spooled(record, positions) for record in records])
    unfinished = sum(1 for r in kept if set(_readers(r.topic)) - set(r.finished))
    if kept:
        _write(path, msgspec.msgpack.encode(Spool(1, unfinished, kept)))
    return unfinished


def waiting(path: Path) -> int:
    """How many unfinished records the file holds; 0 without one that can be read."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=_Header).unfinished
    except (OSError, msgspec.DecodeError):
        return 0


async def restore(settings: Settings, path: Path) -> int:
    """Put the spool's records and positions into the fresh log, then forget the file.

    Dying in between is harmless: the log dies too, and the file is still there.
    """
    records = _load(path)
    if not records:
        return 0
    producer = await start_producer(settings)
    try:
        sent = [await _send(producer, record) for record in records]
        placed = [(await future).offset for future in sent]
    finally:
        await producer.stop()
    for group in READS:
        await _commit(settings, group, records, placed)
    _forget(path)
    return len(records)


def _readers(topic: str) -> list[str]:
    return [group for group, topics in READS.items() if any(t.name == topic for t in topics)]


def first_needed(positions: Positions, place: TopicPartition) -> int:
    """Where saving starts in this partition."""
    if place.topic in _WHOLE:
        return positions.starts[place]
    done = [positions.done(group, place) for group in _readers(place.topic)]
    return min(done, default=positions.starts[place])


async def _read(settings: Settings, positions: Positions) -> list[ConsumerRecord]:
    """From what is first needed to the true end of every partition, which only a fetch tells here
    (see `Positions`)."""
    todo = {p for p in positions.ends if positions.ends[p] > positions.starts[p]}
    if not todo:
        return []
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=6 * MAX_RECORD_BYTES,
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        consumer.assign(list(todo))
        for place in todo:
            consumer.seek(place, first_needed(positions, place))
        return await _read_all(consumer, todo)
    finally:
        await consumer.stop()


async def _read_all(consumer: AIOKafkaConsumer, todo: set[TopicPartition]) -> list[ConsumerRecord]:
    found: list[ConsumerRecord] = []
    while todo:
        for records in (await consumer.getmany(timeout_ms=50)).values():
            found += records
        for place in [place for place in todo if await _at_end(consumer, place)]:
            todo.remove(place)
            consumer.pause(place)
    return found


async def _at_end(consumer: AIOKafkaConsumer, place: TopicPartition) -> bool:
    end = consumer.highwater(place)
    return end is not None and await consumer.position(place) >= end


def _spooled(record: ConsumerRecord, positions: Positions) -> Spooled:
    place = TopicPartition(record.topic, record.partition)
    finished = [g for g in _readers(record.topic) if record.offset < positions.done(g, place)]
    return Spooled(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value,
        list(record.headers), finished,
    )  # fmt: skip


def _compacted(records: list[Spooled]) -> list[Spooled]:
    """Without values of compacted topics that a later one of their key replaces or deletes; a
    tombstone stays until every group has seen it, whatever came after it."""
    newest = {(r.topic, r.key): r.offset for r in records if r.topic in _COMPACTED}

    def stays(r: Spooled) -> bool:
        if r.topic not in _COMPACTED:
            return True
        if not r.value:
            return bool(set(_readers(r.topic)) - set(r.finished))
        return newest[r.topic, r.key] == r.offset

    return [r for r in sorted(records, key=lambda r: (r.topic, r.partition, r.offset)) if stays(r)]


def _load(path: Path) -> list[Spooled]:
    if not path.exists():
        return []
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Spool).records
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{path} is damaged ({error}): it holds what the last run left undone; "
            "restore it, or delete it to go on without"
        ) from None


def _forget(path: Path) -> None:
    path.unlink()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


async def _send(producer: AIOKafkaProducer, record: Spooled):  # type: ignore[no-untyped-def]
    place = f"{record.topic}:{record.partition}:{record.offset}"
    headers = [*record.headers]
    if PLACE_HEADER not in dict(headers):
        headers.append((PLACE_HEADER, place.encode()))
    return await producer.send(
        record.topic, record.value, record.key, record.partition, record.timestamp, headers
    )


async def _commit(
    settings: Settings, group: str, records: list[Spooled], placed: list[int]
) -> None:
    """Tell the log how far the group was: just past the last record it had finished."""
    done: dict[TopicPartition, int] = {}
    for record, offset in zip(records, placed, strict=True):
        if group in record.finished:
            place = TopicPartition(record.topic, record.partition)
            done[place] = max(done.get(place, 0), offset + 1)
    if not done:
        return
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_servers(), group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(list(done))
        await consumer.commit(done)
    finally:
        await consumer.stop()
