"""JSON in and out. Whatever is wrong with a value becomes one `Invalid` that names the field."""

import re
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from tocsin.errors import Invalid, InvalidItem
from tocsin.records.notification import NotificationRequest
from tocsin.topics import MAX_RECORD_BYTES

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_PATH = re.compile(
    r"^(?P<reason>.*?)(?: - at (?:(?:the key|`key`) in )?`\$\.?(?P<path>.*)`)?$", re.DOTALL
)
_BATCH = re.compile(rb'\s*\{\s*"requests"\s*:')
_FIELD = re.compile(r"(?:required field|unknown field) `(\w+)`")


def encode(record: Any) -> bytes:
    """Any record as compact JSON."""
    return _encoder.encode(record)


@lru_cache(maxsize=64)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def decode(kind: type[T], payload: bytes) -> T:
    """`payload` as a `kind`, CloudEvents 1.0 structured mode unwrapped.

    Raises `Invalid` naming the field for anything that is not exactly such a record: broken JSON,
    unknown or missing fields, wrong types, values out of range, more than MAX_RECORD_BYTES.
    """
    return _strict(kind, _unwrapped(payload))  # type: ignore[no-any-return]


def decode_internal(kind: type[T], payload: bytes) -> T:
    """`payload` of a topic of our own: whatever was let in may have grown on its way."""
    return _strict(kind, payload)  # type: ignore[no-any-return]


def _strict(kind: Any, payload: bytes | msgspec.Raw) -> Any:
    try:
        return _decoder(kind).decode(payload)
    except msgspec.ValidationError as error:
        raise as_invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid("", f"not JSON: {error}") from None
    except RecursionError:
        raise Invalid("", "not JSON that can be read: nested too deeply") from None


def _unwrapped(payload: bytes) -> bytes | msgspec.Raw:
    if len(payload) > MAX_RECORD_BYTES:
        raise Invalid(
            "", f"record of {len(payload):,} bytes; at most {MAX_RECORD_BYTES:,} are taken"
        )
    if b'"specversion"' not in payload:
        return payload
    envelope = _strict(dict[str, msgspec.Raw], payload)
    return envelope["data"] if "specversion" in envelope and "data" in envelope else payload


def as_invalid(error: msgspec.ValidationError) -> Invalid:
    """msgspec's sentence as field + reason: ``Expected `int` - at `$.available```."""
    match = _PATH.match(str(error))
    reason, path = (match["reason"], match["path"] or "") if match else (str(error), "")
    named = _FIELD.search(reason)
    field = ".".join(part for part in (path, named[1] if named else "") if part)
    return Invalid(field, reason[:1].lower() + reason[1:])


class _Many(msgspec.Struct, forbid_unknown_fields=True):
    requests: list[msgspec.Raw]


def split_requests(payload: bytes) -> list[NotificationRequest | Invalid]:
    """The requests of one Kafka value, `{requests:[...]}` or a single one.

    A bad request in a batch spoils only itself: its place holds the `Invalid` that says why. Raises
    `Invalid` when the value as a whole cannot be read.
    """
    if not _BATCH.match(inner := bytes(_unwrapped(payload))):
        return [decode(NotificationRequest, payload)]
    try:
        return list(_decoder(_WholeBatch).decode(inner).requests)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _one_by_one(payload)


class _WholeBatch(msgspec.Struct, forbid_unknown_fields=True):
    requests: list[NotificationRequest]


def _one_by_one(payload: bytes) -> list[NotificationRequest | Invalid]:
    found: list[NotificationRequest | Invalid] = []
    for index, raw in enumerate(decode(_Many, payload).requests):
        try:
            found.append(_strict(NotificationRequest, raw))
        except Invalid as error:
            where = f"requests[{index}]" + (f".{error.field}" if error.field else "")
            found.append(InvalidItem(where, error.reason, bytes(raw)))
    return found
