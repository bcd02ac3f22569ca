"""That somebody took a notification back."""

import msgspec

from tocsin.records.fields import Id, Instant


class Cancellation(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value of ``cancellations``: what of `notification_id` is not sent yet, never will be.

    The id may be a broadcast's. `by` is the caller. Whose it was is not here: it is kept long.
    """

    notification_id: Id
    at: Instant
    by: str = ""
