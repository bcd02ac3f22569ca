"""What goes to a provider: the words, and one address they go to."""

from datetime import datetime

import msgspec

from tocsin.records.notification import Priority
from tocsin.templates.content import Content

__all__ = ["Content", "Message", "Sent"]


class Message(msgspec.Struct, frozen=True):
    """One message to one address: a device token, a phone number or a mailbox.

    `delivery_id` is the same on every attempt, so whatever a provider is told to recognise a
    repetition by is derived from it. Providers must not be given the message twice at once.
    """

    delivery_id: str
    type: str
    address: str
    content: Content
    priority: Priority = Priority.NORMAL
    expires_at: datetime | None = None
    collapse_key: str | None = None

    def __repr__(self) -> str:
        return f"Message({self.delivery_id}, {self.type})"


class Sent(msgspec.Struct, frozen=True):
    """A provider took it; the id is the provider's, or ours where it keeps ours."""

    provider: str
    provider_message_id: str
