"""What the bench of the router has in place of the world: requests, a store and a producer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from streams.consume import Record
from tocsin.ids import new_id
from tocsin.records import Channel, Device, NotificationRequest, Profile, encode
from tocsin.store import keys
from tocsin.topics import REQUESTS

_STOCK = ("BACK_IN_STOCK", {"sku": "85123A", "product": "White hanging heart", "available": 9})
_RETURN = (
    "ORDER_UPDATE",
    {"order": "536365", "items": 3, "total": "17.85", "currency": "GBP", "kind": "return"},
)
_ORDER = (
    "ORDER_CONFIRMATION",
    {"order": "536365", "items": 7, "total": "139.12", "currency": "GBP", "name": "A. Webb"},
)
_MIX: Final = (
    *((Channel.PUSH, _STOCK), (Channel.EMAIL, _ORDER)) * 5,
    *((Channel.PUSH, _STOCK),) * 5,
    (Channel.SMS, _RETURN),
)
"""As loadtest/bench/traffic.py: 10 push, 5 e-mail, 1 SMS."""

_PEOPLE: Final = 1_000
_IN_A_RECORD: Final = 250
_RECORDS: Final = 8
"""Of a batch."""


class Store:
    """A store that has everybody, and to which nothing is old news."""

    def __init__(self) -> None:
        users = [str(5_000_000 + number) for number in range(_PEOPLE)]
        self._values = {keys.profile(user): encode(_person(user)) for user in users}
        self._values[keys.STORE_READY] = b"1"

    async def mget(self, names: Sequence[str]) -> list[bytes | None]:
        return [self._values.get(name) for name in names]

    def register_script(self, _: str) -> Callable[..., Awaitable[list[int]]]:
        async def fresh(keys: Sequence[str], args: Sequence[Any]) -> list[int]:
            return [0] * len(keys)

        return fresh


class Producer:
    """Keeps what it is given, durable at once."""

    def __init__(self) -> None:
        self.values: list[tuple[str, bytes]] = []

    async def send(self, topic: str, value: bytes, **_: Any) -> asyncio.Future[None]:
        self.values.append((topic, value))
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def _person(user: str) -> Profile:
    return Profile(
        user_id=user,
        email=f"customer-{user}@customers.example",
        phone="+12005550100",
        name="Ada Archer",
        devices={"ios": Device("ios", "0123456789abcdef" * 4)},
    )


def traffic(requests: int, one_channel: bool) -> list[list[Record]]:
    """The bench's mix in batches of Kafka records."""
    now = datetime.now(UTC)
    asked = list(_requests(requests, one_channel, now))
    records = [
        Record(REQUESTS.name, i % 8, i, encode({"requests": asked[i : i + _IN_A_RECORD]}), now)
        for i in range(0, len(asked), _IN_A_RECORD)
    ]
    return [records[i : i + _RECORDS] for i in range(0, len(records), _RECORDS)]


def _requests(requests: int, one_channel: bool, now: datetime) -> Iterator[NotificationRequest]:
    for number in range(requests):
        channel, (kind, data) = _MIX[number % len(_MIX)]
        yield NotificationRequest(
            notification_id=new_id(),
            user_id=str(5_000_000 + number % _PEOPLE),
            type=kind,
            data=data,
            channels=(channel,) if one_channel else (),
            accepted_at=now,
        )
