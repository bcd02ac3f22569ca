"""From a delivery to what the inbox keeps, and when not to."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from actors.message import Content
from tocsin.records import Delivery, Priority, Profile, encode

Render = Callable[[Delivery, Profile], Content]
"""The words of a delivery for one person; raises `Permanent` when template or data are
wrong, `TemplateMissing` when the words are not at hand."""

MAX_TITLE: Final = 200
MAX_BODY: Final = 4_000
MAX_URL: Final = 2_000
MAX_SKU: Final = 200


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of an inbox, as stored and as shown. Lengths are in characters."""

    notification_id: str
    type: str
    category: str
    at: datetime
    title: str
    body: str
    url: str = ""
    priority: str = Priority.NORMAL.value
    expires_at: datetime | None = None
    sku: str = ""
    """What it is about, so that whoever shows it can watch the stock."""

    link: str = ""
    """The way to `url` that is counted, if it is: to be followed in its place, or asked for besides
    where a page shows by itself what `url` names."""


def item(delivery: Delivery, content: Content) -> bytes:
    """What the inbox keeps of it, with texts cut to their bounds; a URL too long is left out."""
    url = content.target or content.link
    return encode(
        Item(
            delivery.notification_id,
            delivery.type,
            delivery.category,
            delivery.accepted_at,
            _cut(content.title, MAX_TITLE),
            _cut(content.body, MAX_BODY),
            url if len(url) <= MAX_URL else "",
            delivery.priority.value,
            delivery.ends_at,
            _sku(delivery.data.get("sku")),
            content.link if url != content.link and len(content.link) <= MAX_URL else "",
        )
    )


def _sku(given: object) -> str:
    return given if isinstance(given, str) and len(given) <= MAX_SKU else ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
