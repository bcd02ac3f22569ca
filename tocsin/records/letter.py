"""A record that could not be used, kept whole with the reason."""

import msgspec

from tocsin.records.fields import Instant


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True):
    """`error` is the class of error, `reason` the sentence, `field` the path into the record."""

    topic: str
    partition: int
    offset: int
    error: str
    reason: str
    payload_b64: str
    at: Instant
    field: str = ""
