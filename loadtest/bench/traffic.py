"""The bench's requests: 10 push : 1 SMS : 5 email, 250 to a Kafka record, users spread evenly."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle
from typing import Final

from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from loadtest.people import person
from tocsin.ids import new_id
from tocsin.kafka import partition_for, send_all
from tocsin.records import Channel, NotificationRequest, Profile, encode
from tocsin.settings import Settings
from tocsin.topics import REQUESTS

MIX: Final = (
    *(Channel.PUSH, Channel.EMAIL) * 5,
    *(Channel.PUSH,) * 5,
    Channel.SMS,
)
"""16 deliveries, the day's 10 M push, 1 M SMS and 5 M email in small."""

_TYPE: Final[dict[Channel, tuple[str, dict[str, object]]]] = {
    Channel.PUSH: (
        "BACK_IN_STOCK",
        {"sku": "85123A", "product": "White hanging heart", "available": 9},
    ),
    Channel.INAPP: (
        "BACK_IN_STOCK",
        {"sku": "85123A", "product": "White hanging heart", "available": 9},
    ),
    Channel.SMS: (
        "ORDER_UPDATE",
        {"order": "536365", "items": 3, "total": "17.85", "currency": "GBP", "kind": "return"},
    ),
    Channel.EMAIL: (
        "ORDER_CONFIRMATION",
        {"order": "536365", "items": 7, "total": "139.12", "currency": "GBP", "name": "A. Webb"},
    ),
}
_RECORD: Final = 250
FIRST_USER: Final = 5_000_000
_FIRST_PAIR: Final = 5_900_000


def users(count: int) -> list[Profile]:
    """The people the bench writes to, one device each, so that a delivery is one provider call."""
    found = []
    for number in range(count):
        profile = person(str(FIRST_USER + number))
        first = dict(list(profile.devices.items())[:1])
        found.append(replace(profile, devices=first))
    return found


def pairs(count: int) -> list[Profile]:
    """People of the same kind who have two devices each, so that a push is two calls."""
    found = (person(str(_FIRST_PAIR + number)) for number in range(10 * count))
    return [profile for profile in found if len(profile.devices) == 2][:count]


class Traffic:
    """An endless, even stream of requests, produced on demand in whole Kafka records."""

    def __init__(self, settings: Settings, people: Sequence[Profile]) -> None:
        self._partitions = settings.partitions
        by_partition: list[list[str]] = [[] for _ in range(self._partitions)]
        for profile in people:
            place = partition_for(profile.user_id, self._partitions)
            by_partition[place].append(profile.user_id)
        self._users = [cycle(names) for names in by_partition]
        self._mix = cycle(MIX)
        self._turn = cycle(range(self._partitions))
        self.produced = 0

    async def produce(self, producer: AIOKafkaProducer, count: int) -> None:
        """Produce at least `count` requests; durable when it returns."""
        while count > 0:
            values = [(p := next(self._turn), self._record(p)) for _ in range(8)]
            await send_all(producer, REQUESTS, values)
            self.produced += 8 * _RECORD
            count -= 8 * _RECORD

    def _record(self, partition: int) -> bytes:
        return encode({"requests": list(self._requests(partition))})

    def _requests(self, partition: int) -> Iterator[NotificationRequest]:
        now = datetime.now(UTC)
        for channel in (next(self._mix) for _ in range(_RECORD)):
            yield request(channel, next(self._users[partition]), now)


def request(channel: Channel, user_id: str, now: datetime) -> NotificationRequest:
    """One notification on one channel, of a type that belongs there."""
    type_name, data = _TYPE[channel]
    return NotificationRequest(
        notification_id=new_id(),
        user_id=user_id,
        type=type_name,
        data=data,
        channels=(channel,),
        accepted_at=now,
    )
