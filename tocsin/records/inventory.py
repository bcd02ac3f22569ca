"""A change of one SKU's sellable stock."""

import msgspec

from tocsin.records.fields import Count, Delta, Id, Instant, sane


class InventoryChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`available` is the absolute sellable stock after the change; `delta` may stand instead.

    `version` orders changes of one SKU where the producer has one; without it `occurred_at` does.
    `event_id` makes a repeated delivery of the same change harmless.
    """

    event_id: Id
    sku: Id
    occurred_at: Instant
    available: Count | None = None
    delta: Delta | None = None
    product_id: Id | None = None
    location: Id | None = None
    version: Count | None = None

    def __post_init__(self) -> None:
        if (self.available is None) == (self.delta is None):
            raise ValueError("exactly one of `available` and `delta` is needed")
        sane("occurred_at", self.occurred_at)
