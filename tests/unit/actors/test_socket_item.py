"""From a delivery to what the inbox keeps."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from actors.decide import refusal
from actors.message import Content
from actors.sockets.frames import notification
from actors.sockets.item import MAX_BODY, MAX_TITLE, MAX_URL, item
from tocsin.records import Channel, Delivery, Preferences, Priority, Profile, State

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DELIVERY = Delivery("n1", "u1", Channel.INAPP, "SALE_OFFER", "promotional", "T", {}, NOW)
PROFILE = Profile("u1")
OPTED_OUT = Profile("u1", preferences=Preferences(opted_out=True))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("delivery", "profile", "state", "reason"),
    [
        (DELIVERY, None, State.SUPPRESSED, "unknown_user"),
        (DELIVERY, OPTED_OUT, State.SUPPRESSED, "opted_out"),
        (replace(DELIVERY, expires_at=NOW), PROFILE, State.EXPIRED, "expired"),
        (replace(DELIVERY, expires_at=NOW - SECOND), OPTED_OUT, State.EXPIRED, "expired"),
    ],
)
def test_when_not_to_deliver(
    delivery: Delivery, profile: Profile | None, state: State, reason: str
) -> None:
    refused = refusal(delivery, profile, NOW)
    assert refused is not None
    assert (refused.delivery_id, refused.state, refused.reason) == ("n1:inapp", state, reason)


@pytest.mark.parametrize(
    ("delivery", "profile"),
    [
        (DELIVERY, PROFILE),
        (replace(DELIVERY, expires_at=NOW + SECOND), PROFILE),
        (replace(DELIVERY, priority=Priority.CRITICAL, category="security"), OPTED_OUT),
    ],
)
def test_when_to_deliver(delivery: Delivery, profile: Profile) -> None:
    assert refusal(delivery, profile, NOW) is None


def test_the_frame_is_the_item_and_its_offset() -> None:
    made = item(DELIVERY, Content("Half off", "Sale", link="https://shop.example/sale"))
    assert json.loads(notification(made, 7, 3)) == {
        "op": "notification", "offset": 7, "unread": 3, "notification_id": "n1",
        "type": "SALE_OFFER", "category": "promotional", "at": "2026-11-22T00:00:00Z",
        "title": "Sale", "body": "Half off", "url": "https://shop.example/sale",
    }  # fmt: skip
    assert "unread" not in json.loads(notification(made, 7))


def test_what_decides_how_to_show_it_is_kept() -> None:
    urgent = replace(DELIVERY, priority=Priority.CRITICAL, ends_at=NOW + SECOND)
    made = json.loads(item(urgent, Content("b")))
    assert made["priority"] == "critical"
    assert made["expires_at"] == "2026-11-22T00:00:01Z"


def test_texts_are_cut_and_an_address_is_whole_or_absent() -> None:
    long = Content("b" * 9_000, "t" * 9_000, link="https://shop.example/" + "x" * MAX_URL)
    made = json.loads(item(DELIVERY, long))
    assert len(made["title"]) == MAX_TITLE
    assert len(made["body"]) == MAX_BODY
    assert made["body"].endswith("b…")
    assert "url" not in made
