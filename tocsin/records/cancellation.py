"""That somebody took a notification back."""

import msgspec

from tocsin.records.fields import Id, Instant


class Cancellation(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value of ``cancellations``: what of `notification_id` is not sent yet, never will be.

    The id may be a broadcast's. `user_id` is empty where nobody knows it (yet); `by` is the caller.
    """

    notification_id: Id
    user_id: str
    at: Instant
    by: str = ""
