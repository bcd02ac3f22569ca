"""The harness's promises, with a stream of ours: acknowledged is always a prefix, and only what is
durable."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.consume import Consume, Record
from tocsin.errors import Invalid
from tocsin.topics import REQUESTS


class Letters:
    """Collects what would be buried."""

    def __init__(self) -> None:
        self.offsets: list[int] = []

    async def one(
        self, topic: str, partition: int, offset: int, payload: bytes, error: Exception
    ) -> None:
        self.offsets.append(offset)


class Stream:
    """Gives `batches` of events; remembers what was acknowledged, in order."""

    def __init__(self, batches: Sequence[Sequence[int]], values: dict[int, bytes]) -> None:
        self._batches, self._values = batches, values
        self.acked: list[int] = []

    async def noack_take(self, most: int, within: float) -> AsyncIterator[list[Any]]:
        for offsets in self._batches:
            yield [SimpleNamespace(message=self._message(offset)) for offset in offsets]

    def _message(self, offset: int) -> Any:
        value = self._values.get(offset, b"ok")
        return SimpleNamespace(
            topic="t",
            partition=0,
            offset=offset,
            value=value,
            timestamp=1_700_000_000.0,
            headers=None,
        )

    async def ack(self, event: Any) -> None:
        self.acked.append(event.message.offset)


async def _consume(stream: Stream, work: Any, letters: Letters, depth: int = 4) -> None:
    consume = Consume(REQUESTS, work, letters, depth=depth)  # type: ignore[arg-type]
    await consume._feed(stream)
    assert await consume.drain(5)


batches = st.lists(st.integers(1, 5), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(batches, st.integers(0, 2**32))
def test_acknowledged_is_always_a_prefix_of_what_came(sizes: list[int], seed: int) -> None:
    random = Random(seed)
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    offsets = [list(range(end - size, end)) for size, end in zip(sizes, ends, strict=True)]
    stream, durable = Stream(offsets, {}), set[int]()
    seen_at_ack: list[bool] = []

    async def work(records: Sequence[Record]) -> None:
        for _ in range(random.randrange(6)):
            await asyncio.sleep(0)
        durable.update(r.offset for r in records)

    ack = stream.ack

    async def checked(event: Any) -> None:
        seen_at_ack.append(event.message.offset in durable)
        await ack(event)

    stream.ack = checked  # type: ignore[method-assign]
    asyncio.run(_consume(stream, work, Letters()))
    assert stream.acked == list(range(ends[-1]))
    assert all(seen_at_ack)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 19)))
def test_each_bad_record_is_buried_and_every_good_one_worked(bad: set[int]) -> None:
    stream = Stream([list(range(20))], dict.fromkeys(bad, b"bad"))
    letters, worked = Letters(), set[int]()

    async def work(records: Sequence[Record]) -> None:
        for record in records:
            if record.value == b"bad":
                raise Invalid("f", "bad")
        worked.update(r.offset for r in records)

    asyncio.run(_consume(stream, work, letters))
    assert sorted(letters.offsets) == sorted(bad)
    assert worked == set(range(20)) - bad
    assert stream.acked == list(range(20))


async def test_an_outage_is_waited_out_and_buries_nothing() -> None:
    stream, letters, tries = Stream([[0, 1]], {}), Letters(), 0

    async def work(records: Sequence[Record]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionRefusedError

    await _consume(stream, work, letters)
    assert (tries, letters.offsets, stream.acked) == (3, [], [0, 1])


async def test_no_more_than_depth_batches_are_at_work() -> None:
    stream = Stream([[n] for n in range(20)], {})
    at_work = most = 0

    async def work(records: Sequence[Record]) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.001)
        at_work -= 1

    await _consume(stream, work, Letters(), depth=2)
    # two queued, one awaited by the acker, one waiting for room
    assert most <= 4


@pytest.mark.parametrize("stamp", [None, -1.0, 1.8e12, 1e300])
async def test_an_absurd_timestamp_stops_nothing(stamp: float | None) -> None:
    stream = Stream([[0]], {})
    message = stream._message(0)
    message.timestamp = stamp
    stream._message = lambda offset: message  # type: ignore[method-assign]
    got: list[Record] = []

    async def work(records: Sequence[Record]) -> None:
        got.extend(records)

    await _consume(stream, work, Letters())
    assert abs((datetime.now(UTC) - got[0].at).total_seconds()) < 60


async def test_a_record_put_back_is_known_by_the_place_it_had() -> None:
    stream = Stream([[5]], {})
    message = stream._message(5)
    message.headers = {"tocsin-place": b"t:0:2"}
    stream._message = lambda offset: message  # type: ignore[method-assign]
    got: list[str] = []

    async def work(records: Sequence[Record]) -> None:
        got.extend(r.place for r in records)

    await _consume(stream, work, Letters())
    assert got == ["t:0:2"]


async def test_a_record_too_large_to_hand_on_is_buried_and_not_tried_for_ever() -> None:
    stream, letters = Stream([[0, 1]], {1: b"huge"}), Letters()

    async def work(records: Sequence[Record]) -> None:
        if any(r.value == b"huge" for r in records):
            raise MessageSizeTooLargeError

    await _consume(stream, work, letters)
    assert (letters.offsets, stream.acked) == ([1], [0, 1])


@pytest.mark.parametrize("value", [None, b""])
async def test_an_empty_value_reaches_the_work_as_no_bytes(value: bytes | None) -> None:
    stream = Stream([[0]], {0: value})  # type: ignore[dict-item]
    got: list[bytes] = []

    async def work(records: Sequence[Record]) -> None:
        got.extend(r.value for r in records)

    await _consume(stream, work, Letters())
    assert got == [b""]
