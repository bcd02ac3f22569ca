"""What a tracked link means: who it takes where, and what the books are told. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple

from api.bots import Hit, bot_reason
from tocsin.errors import Refused
from tocsin.ids import derived_id
from tocsin.links import Link, Purpose, Seals
from tocsin.links.seals import not_ours
from tocsin.links.target import is_web, lengthened, told
from tocsin.records import Engagement

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
"""Every visit is to be counted, and nobody is to be told of an address that stands for a person."""

GIF: Final = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
"""One transparent dot."""


class Followed(NamedTuple):
    """A click's link, opened: where it leads, and whether it is the one nobody sees."""

    link: Link
    target: str
    trap: bool


def followed(seals: Seals, public: str, token: str, now: datetime) -> Followed:
    """What a click's token says. Raises `Refused` for any that is none."""
    try:
        link, trap = seals.open(Purpose.CLICK, token, now), False
    except Refused as error:
        if error.code != "not_found":
            raise
        link, trap = seals.open(Purpose.TRAP, token, now), True
    target = lengthened(link.text, public)
    if not is_web(target):
        raise not_ours()
    return Followed(link, target, trap)


def event(
    kind: Literal["click", "open"],
    found: Link,
    token: str,
    method: str,
    headers: Mapping[str, str],
    now: datetime,
    target: str = "",
    trap: bool = False,
) -> Engagement:
    """The event of one request. Each is an event of its own, but that the same program asking again
    within the same second is one asked twice."""
    sent = found.sent
    age = (now - sent.at).total_seconds()
    reason = bot_reason(Hit(kind, method, headers, age, trap))
    agent = headers.get("user-agent", "")
    event_id = derived_id("hit", kind, token, agent, reason, str(int(now.timestamp())))
    return Engagement(
        event_id=event_id,
        kind=kind,
        notification_id=sent.notification_id,
        user_id=sent.user_id,
        at=now,
        channel=sent.channel,
        type=sent.type,
        link=told(target) if target else "",
        bot=bool(reason),
        bot_reason=reason,
    )
