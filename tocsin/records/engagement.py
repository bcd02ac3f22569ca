"""What people did with a message."""

from typing import Literal

import msgspec

from tocsin.records.fields import Id, Instant


class Engagement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One click, open, read, dismissal or conversion; bots are kept and tagged, never dropped."""

    event_id: Id
    kind: Literal["click", "open", "read", "dismiss", "convert"]
    notification_id: Id
    user_id: Id
    at: Instant
    channel: str = ""
    type: str = ""
    link: str = ""
    bot: bool = False
    bot_reason: str = ""
