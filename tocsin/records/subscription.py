"""A back-in-stock sign-up."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tocsin.records.fields import Id, Instant
from tocsin.records.notification import Channel


class Subscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One person waiting for one SKU. One shot: it ends when it fires, is cancelled or expires."""

    subscription_id: Id
    user_id: Id
    sku: Id
    created_at: Instant
    channels: tuple[Channel, ...] = ()
    wanted: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    expires_at: Instant | None = None
    state: Literal["waiting", "notified", "cancelled", "expired"] = "waiting"
