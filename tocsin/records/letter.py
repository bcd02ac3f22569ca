"""A record that could not be used, kept whole with the reason."""

import msgspec

from tocsin.records.fields import Instant


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True):
    """`error` is the class of error, `reason` the sentence, `field` the path into the record.

    `notification_id` is there when the payload is one request that could be read and not be taken:
    the books then know where it went. `put_back_at` is there on the copy that is written when the
    payload was put back (`tocsin dlq replay`).
    """

    topic: str
    partition: int
    offset: int
    error: str
    reason: str
    payload_b64: str
    at: Instant
    field: str = ""
    notification_id: str = ""
    put_back_at: Instant | None = None
