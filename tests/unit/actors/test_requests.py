"""What is asked of the vendors, beside the words."""

from datetime import timedelta
from urllib.parse import parse_qs

from hypothesis import given
from hypothesis import strategies as st

from actors.providers.push_apns import collapse_id, payload_of
from actors.providers.push_fcm import android_of
from actors.providers.sms_twilio import form_of
from tests.unit.actors.makers import NOW, message
from tocsin.records import Priority

CALLBACK = "https://x/v1/receipts/twilio?"


def test_twilio_is_told_where_to_report_and_how_long_to_try() -> None:
    sms = message(address="+4477", expires_at=NOW + timedelta(seconds=90))
    form = dict(form_of(sms, ("From", "Shop"), CALLBACK, NOW))
    assert (form["To"], form["From"], form["ValidityPeriod"]) == ("+4477", "Shop", "90")
    assert form["StatusCallback"].startswith(CALLBACK)
    named = parse_qs(form["StatusCallback"].partition("?")[2])
    assert named == {"delivery_id": ["n1:push"], "type": ["ORDER_CONFIRMATION"]}


def test_twilio_takes_no_validity_beyond_its_bounds() -> None:
    for left, period in ((timedelta(days=9), "36000"), (timedelta(seconds=0.2), "1")):
        form = dict(form_of(message(expires_at=NOW + left), ("From", "S"), CALLBACK, NOW))
        assert form["ValidityPeriod"] == period
    assert "ValidityPeriod" not in dict(
        form_of(message(expires_at=None), ("From", "S"), CALLBACK, NOW)
    )


def test_apple_gets_our_names_beside_aps() -> None:
    payload = payload_of(message())
    assert payload["aps"]["alert"] == {"title": "Order confirmed", "body": "We have your order."}
    assert (payload["delivery_id"], payload["type"]) == ("n1:push", "ORDER_CONFIRMATION")


@given(st.none() | st.text(max_size=128), st.text(min_size=1, max_size=140))
def test_a_collapse_id_fits_the_header_and_is_stable(key: str | None, delivery_id: str) -> None:
    one = message(delivery_id=delivery_id, collapse_key=key)
    found = collapse_id(one)
    assert len(found.encode()) <= 64
    assert found.isascii()
    assert found.isprintable()
    assert found == collapse_id(one)


def test_android_hears_how_urgent_how_long_and_what_is_replaced() -> None:
    config = android_of(message(expires_at=NOW + timedelta(seconds=61)), NOW)
    assert (config["priority"], config["ttl"]) == ("HIGH", "61s")
    assert "collapse_key" not in config
    assert config["notification"]["tag"] == android_of(message(), NOW)["notification"]["tag"]
    low = android_of(message(priority=Priority.LOW, collapse_key="cart"), NOW)
    assert (low["priority"], low["collapse_key"]) == ("NORMAL", "cart")
    far = android_of(message(expires_at=NOW + timedelta(days=99)), NOW)
    assert far["ttl"] == "2419200s"
    assert android_of(message(expires_at=NOW - timedelta(days=1)), NOW)["ttl"] == "0s"
