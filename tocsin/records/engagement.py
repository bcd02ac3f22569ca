"""What people did with a message."""

from typing import Literal

import msgspec

from tocsin.records.fields import Id, Instant


class Engagement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One click, open, read, dismissal, conversion or unsubscription; bots are kept and tagged,
    never dropped. `reference` (an order's id), `value` and `currency` are a conversion's."""

    event_id: Id
    kind: Literal["click", "open", "read", "dismiss", "convert", "unsubscribe"]
    notification_id: Id
    user_id: Id
    at: Instant
    channel: str = ""
    type: str = ""
    link: str = ""
    bot: bool = False
    bot_reason: str = ""
    reference: str = ""
    value: float = 0
    currency: str = ""
