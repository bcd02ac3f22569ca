"""Whatever is wrong with a record becomes one Invalid that names the field."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import Invalid
from tocsin.records import (
    InventoryChange,
    NotificationRequest,
    TemplateVersion,
    decode,
    encode,
    split_requests,
)

CHANGE = b'{"event_id":"e","sku":"s","occurred_at":"2026-01-01T00:00:00Z","available":3}'


@pytest.mark.parametrize(
    ("payload", "field", "reason"),
    [
        (CHANGE.replace(b"3", b"-1"), "available", "expected `int` >= 0"),
        (CHANGE.replace(b"3", b'"3"'), "available", "expected `int | null`, got `str`"),
        (CHANGE.replace(b"3", b"null"), "", "exactly one of `available` and `delta` is needed"),
        (CHANGE.replace(b"}", b',"stock":1}'), "stock", "unknown field"),
        (CHANGE.replace(b'"sku":"s",', b""), "sku", "missing required field"),
        (CHANGE.replace(b"00Z", b"00"), "occurred_at", "timezone component"),
        (CHANGE.replace(b"2026", b"9999"), "", "`occurred_at` must lie between the years"),
        (b"{", "", "not JSON"),
        (b"\xff\xfe", "", "not JSON"),
        (b"", "", "not JSON"),
        (b"[" * 100_000, "", "expected `object`, got `array`"),
        (CHANGE.replace(b"3", b"[" * 100_000), "available", "expected `int | null`"),
        (b" " * 1_000_001, "", "at most 1,000,000 are taken"),
    ],
)
def test_a_wrong_record_names_the_field_and_the_reason(
    payload: bytes, field: str, reason: str
) -> None:
    with pytest.raises(Invalid) as caught:
        decode(InventoryChange, payload)
    assert caught.value.field == field
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("locales", "field"),
    [(b'{"d e":{}}', "locales"), (b'{"de":{"fax":1}}', "locales[...].fax")],
)
def test_what_is_wrong_in_a_mapping_names_the_mapping(locales: bytes, field: str) -> None:
    version = b'{"number":1,"created_at":"2026-01-01T00:00:00Z","locales":%b}' % locales
    with pytest.raises(Invalid) as caught:
        decode(TemplateVersion, version)
    assert caught.value.field == field


@given(st.binary(max_size=200))
def test_no_bytes_at_all_raise_anything_but_invalid(payload: bytes) -> None:
    with suppress(Invalid):
        split_requests(payload)


def test_a_cloudevent_is_unwrapped() -> None:
    event = b'{"specversion":"1.0","id":"1","source":"/shop","type":"stock","data":%b}' % CHANGE
    assert decode(InventoryChange, event) == decode(InventoryChange, CHANGE)


def test_a_cloudevent_may_hold_a_batch() -> None:
    request = b'{"notification_id":"n","user_id":"u","type":"T"}'
    event = b'{"specversion":"1.0","data":{"requests":[%b]}}' % request
    assert split_requests(event) == [decode(NotificationRequest, request)]


def test_one_bad_request_in_a_batch_spoils_only_itself() -> None:
    value = (
        b'{ "requests": [{"notification_id":"a","user_id":"u","type":"T"},'
        b'{"notification_id":"b","user_id":"u","type":"lower"},'
        b'{"notification_id":"c","user_id":"u","type":"T"}]}'
    )
    first, second, third = split_requests(value)
    assert isinstance(first, NotificationRequest)
    assert isinstance(third, NotificationRequest)
    assert isinstance(second, Invalid)
    assert second.field == "requests[1].type"


def test_data_nested_without_end_is_an_error_and_not_a_crash() -> None:
    deep = b'{"notification_id":"n","user_id":"u","type":"T","data":{"a":' + b"[" * 400_000
    with pytest.raises(Invalid, match="nested too deeply"):
        decode(NotificationRequest, deep)


def test_what_is_encoded_decodes_to_the_same() -> None:
    change = decode(InventoryChange, CHANGE)
    assert decode(InventoryChange, encode(change)) == change
