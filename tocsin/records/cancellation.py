"""That somebody took a notification back."""

from typing import Final

import msgspec

from tocsin.records.fields import Id, Instant

EVERYBODY: Final = "*"
"""In place of a user id: what was taken back was a broadcast."""


class Cancellation(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value of ``cancellations``: what of `notification_id` is not sent yet, never will be."""

    notification_id: Id
    user_id: Id
    at: Instant
    by: str = ""
