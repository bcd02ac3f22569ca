"""Publishing: by partition, in records that consumers take, nothing said before it is durable."""

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError

from api import publish as publish_module
from api.publish import Publish, grouped
from tocsin.kafka import partition_for
from tocsin.records import Lane, NotificationRequest, encode, split_requests
from tocsin.topics import (
    INVENTORY,
    MAX_RECORD_BYTES,
    REQUESTS,
    REQUESTS_HIGH,
    REQUESTS_LOW,
)


class FakeProducer:
    """Remembers what was sent; acknowledges when told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes | None, bytes | None, int]] = []
        self.acks: list[asyncio.Future[None]] = []

    async def send(self, topic: str, value: Any, *, key: Any, partition: int) -> Any:
        self.sent.append((topic, key, value, partition))
        self.acks.append(asyncio.get_running_loop().create_future())
        return self.acks[-1]


def made() -> tuple[Publish, FakeProducer]:
    producer = FakeProducer()
    return Publish(producer, 4), producer


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_it_waits_for_every_acknowledgement() -> None:
    publish, producer = made()
    task = asyncio.create_task(publish.many(INVENTORY, [("a", b"1"), ("b", b"2")]))
    await settle()
    producer.acks[0].set_result(None)
    await settle()
    assert not task.done()
    producer.acks[1].set_result(None)
    await task


async def test_one_failure_is_the_callers() -> None:
    publish, producer = made()
    task = asyncio.create_task(publish.many(INVENTORY, [("a", b"1"), ("b", b"2")]))
    await settle()
    producer.acks[0].set_result(None)
    producer.acks[1].set_exception(KafkaTimeoutError())
    with pytest.raises(KafkaTimeoutError):
        await task


async def test_when_time_is_up_what_was_sent_is_not_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publish_module, "ACK_SECONDS", 0.01)
    publish, producer = made()
    with pytest.raises(TimeoutError):
        await publish.one(INVENTORY, "a", b"1")
    assert not producer.acks[0].cancelled()


async def test_keys_go_where_kafka_would_put_them() -> None:
    publish, producer = made()
    keys = [f"sku-{i}" for i in range(50)]
    task = asyncio.create_task(publish.many(INVENTORY, [(k, None) for k in keys]))
    await settle()
    for ack in producer.acks:
        ack.set_result(None)
    await task
    assert [(key, p) for _, key, _, p in producer.sent] == [
        (k.encode(), partition_for(k, 4)) for k in keys
    ]


def test_groups_hold_as_many_as_a_record_may() -> None:
    values = [b'"%b"' % (b"x" * 300_000) for _ in range(7)]
    groups = grouped(values)
    assert [group.count(b'"x') for group in groups] == [3, 3, 1]
    assert all(len(group) <= MAX_RECORD_BYTES for group in groups)


def test_the_largest_request_fits_a_group() -> None:
    room = MAX_RECORD_BYTES - len(b'{"requests":[]}')
    (group,) = grouped([b"x" * room])
    assert len(group) == MAX_RECORD_BYTES


def test_a_group_is_what_the_router_reads() -> None:
    wanted = [NotificationRequest(f"n{i}", "u", "X") for i in range(3)]
    (group,) = grouped(encode(request) for request in wanted)
    assert split_requests(group) == wanted


def test_nothing_makes_no_record() -> None:
    assert grouped([]) == []


async def test_requests_are_grouped_by_lane_and_partition() -> None:
    publish, producer = made()
    items = [(lane, user, encode(user)) for user in ("a", "b", "c", "d") for lane in Lane] * 2
    task = asyncio.create_task(publish.requests(items))
    await settle()
    for ack in producer.acks:
        ack.set_result(None)
    await task
    partitions = {partition_for(user, 4) for user in "abcd"}
    assert {(topic, p) for topic, _, _, p in producer.sent} == {
        (topic.name, p) for topic in (REQUESTS, REQUESTS_HIGH, REQUESTS_LOW) for p in partitions
    }
    assert len(producer.sent) == 3 * len(partitions)
    assert sum(value.count(b'"a"') for _, _, value, _ in producer.sent if value) == 6
