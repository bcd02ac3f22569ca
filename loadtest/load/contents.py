"""What a call of producers holds: 10 push : 1 SMS : 5 email, exactly, over a stream's calls."""

from random import Random
from typing import Any, Final

import msgspec

from loadtest.load.crowd import Crowd
from loadtest.load.shapes import Flow
from tocsin.ids import new_id
from tocsin.topics import REQUESTS_BY_LANE

_PUSH, _SMS, _EMAIL = ("push",), ("sms",), ("email",)
MIX: Final = (
    _PUSH, _EMAIL, _PUSH, _EMAIL, _PUSH, _SMS, _PUSH, _EMAIL,
    _PUSH, _PUSH, _EMAIL, _PUSH, _PUSH, _EMAIL, _PUSH, _PUSH,
)  # fmt: skip
"""Channels of 16 notifications in a row."""

_LANES: Final = ("normal", "low", "high", "normal", "low", "normal", "normal")
_BY_LANE: Final[dict[tuple[str, str], str]] = {
    ("push", "high"): "ORDER_UPDATE", ("push", "normal"): "ORDER_UPDATE",
    ("push", "low"): "SALE_OFFER",
    ("sms", "high"): "ORDER_UPDATE", ("sms", "normal"): "ORDER_UPDATE",
    ("sms", "low"): "ORDER_UPDATE",
    ("email", "high"): "ORDER_CONFIRMATION", ("email", "normal"): "ORDER_CONFIRMATION",
    ("email", "low"): "NEWSLETTER",
}  # fmt: skip


class Note(msgspec.Struct, frozen=True):
    """A request as API and topic take it. The client chooses the id, so that one whose answer was
    lost has a name."""

    notification_id: str
    user_id: str
    type: str
    data: dict[str, Any]
    channels: tuple[str, ...]
    priority: str


def of_call(flow: Flow, number: int, crowd: Crowd, seed: int, low: bool) -> list[Note]:
    """What call `number` of a producer by HTTP holds. `low`: a campaign's, all of them."""
    random = Random(f"{seed} {flow.stream} {number}")
    first = number * flow.holds
    return [
        _note(first + place, crowd.anyone(random), "low" if low else _lane(first + place), random)
        for place in range(flow.held(number))
    ]


def of_record(
    flow: Flow, number: int, crowd: Crowd, seed: int, low: bool, partitions: int
) -> tuple[str, int, list[Note]]:
    """(topic, partition, requests) of call `number` of a producer by Kafka: one lane and one
    partition, as people's order wants it."""
    random = Random(f"{seed} {flow.stream} {number}")
    partition, lane = number % partitions, "low" if low else _LANES[number // partitions % 7]
    first = number * flow.holds
    notes = [
        _note(first + place, crowd.anyone(random, partition, partitions), lane, random)
        for place in range(flow.held(number))
    ]
    return REQUESTS_BY_LANE[lane].name, partition, notes


def _lane(place: int) -> str:
    return _LANES[place % 7]


def _note(place: int, user: str, lane: str, random: Random) -> Note:
    channels = MIX[place % 16]
    kind = _BY_LANE[channels[0], lane]
    return Note(new_id(), user, kind, _data(kind, random), channels, lane)


def _data(kind: str, random: Random) -> dict[str, Any]:
    order, total = str(random.randrange(100_000, 999_999)), f"{random.randrange(500, 20_000) / 100}"
    if kind == "ORDER_CONFIRMATION":
        return {"order": order, "items": 1 + int(order) % 9, "total": total, "currency": "GBP"}
    if kind == "ORDER_UPDATE":
        return {"order": order, "status": "on its way"}
    if kind == "NEWSLETTER":
        return {"title": "New this week", "body": f"Lanterns, hearts and {order} other things."}
    return {"body": f"All hearts half price until {total}.", "code": f"HEART{order}"}
