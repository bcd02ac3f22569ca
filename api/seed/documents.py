"""The seed documents' bodies and answers as the API's description shows them.

A body is written down here in its usual spelling; what else is understood is in `people` and
`messages`, and what its values may be is the canonical body's business.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.problems import FieldError


class _Camel(msgspec.Struct, frozen=True, rename="camel"):
    pass


class RegisterBody(_Camel, frozen=True):
    """Also `phone`, `deviceId`, `locale`, `timezone`. Preferences: ours, or channel or category to
    yes or no."""

    user_id: str
    email: str | None = None
    phone_number: str | None = None
    device_token: str | None = None
    platform: str | None = None
    name: str | None = None
    preferences: dict[str, Any] | None = None


class DeviceTokenBody(_Camel, frozen=True):
    """Without `deviceId` and `platform`: the one device there is."""

    user_id: str
    device_token: str
    platform: str | None = None
    device_id: str | None = None


class SendBody(_Camel, frozen=True):
    """One `userId` or up to 1,000 `userIds`. What else is in the body is data for the template."""

    user_id: str | None = None
    user_ids: list[str] | None = None
    type: str | None = None
    channels: list[str] | str | None = None
    title: str | None = None
    message: str | dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    template_id: str | None = None
    priority: str | None = None
    send_at: str | None = None


class OptOutBody(_Camel, frozen=True):
    """Neither channel nor category: out of everything."""

    user_id: str
    channel: str | list[str] | None = None
    category: str | None = None
    notification_type: str | None = None


class SubscribeBody(_Camel, frozen=True):
    """`sku` may stand for `productId`."""

    product_id: str
    user_id: str | None = None
    channels: list[str] | None = None
    quantity: int | None = None


class UnsubscribeBody(_Camel, frozen=True):
    """In the body or in the query."""

    product_id: str
    user_id: str | None = None


class ReadBody(_Camel, frozen=True):
    """For services; a user's token says whose it is."""

    user_id: str | None = None


class StockBody(_Camel, frozen=True):
    """The sellable stock after the change; `sku` may stand for `productId`."""

    product_id: str
    stock: int
    event_id: str | None = None


class OtpRequestBody(_Camel, frozen=True):
    """An account's id; a phone number or a mailbox alone is taken for one."""

    user_id: str | None = None
    phone: str | None = None
    channel: str | None = None
    purpose: str | None = None


class PersonAnswer(_Camel, frozen=True):
    """`ignored` are fields of the body that say nothing here."""

    user_id: str
    status: Literal["registered", "updated", "opted_out"]
    device_id: str | UnsetType = UNSET
    ignored: list[str] | UnsetType = UNSET


class SentAnswer(_Camel, frozen=True):
    """The request is kept, under `notificationId`; or those of many people, the i-th of person i,
    null where it was rejected, and `errors` says why."""

    status: Literal["accepted"] = "accepted"
    notification_id: str | UnsetType = UNSET
    notification_ids: list[str | None] | UnsetType = UNSET
    accepted: int | UnsetType = UNSET
    rejected: int | UnsetType = UNSET
    errors: list[FieldError] | UnsetType = UNSET


class StatusAnswer(_Camel, frozen=True):
    """`status`: pending until every channel has ended; delivered if one has delivered it; else how
    it ended. `channels` are as in GET /v1/notifications/{id}."""

    notification_id: str
    status: str
    channels: dict[str, Any]


class SignUpAnswer(_Camel, frozen=True):
    """A back-in-stock sign-up."""

    user_id: str
    product_id: str
    status: Literal["subscribed", "unsubscribed"]
    subscription_id: str | UnsetType = UNSET
    ignored: list[str] | UnsetType = UNSET


class InboxItem(_Camel, frozen=True):
    """One notification in an inbox."""

    notification_id: str
    type: str
    title: str
    message: str
    read: bool
    created_at: str
    category: str = ""
    priority: str = "normal"
    url: str = ""


class InboxAnswer(_Camel, frozen=True):
    """Newest first. An inbox holds the newest 200; `total` counts those of the asked status."""

    items: list[InboxItem]
    page: int
    limit: int
    total: int
    unread: int


class ReadAnswer(_Camel, frozen=True):
    """It is read, and so many are not."""

    notification_id: str
    unread: int
    status: Literal["read"] = "read"


class StockAnswer(_Camel, frozen=True):
    """The change is kept, and will be applied."""

    product_id: str
    event_id: str
    status: Literal["accepted"] = "accepted"
    ignored: list[str] | UnsetType = UNSET
