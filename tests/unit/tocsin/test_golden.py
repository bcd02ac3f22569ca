"""The wire format of every record, byte for byte: other programs read these."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tocsin.records import (
    Audience,
    Broadcast,
    Cancellation,
    Channel,
    Condition,
    DeadLetter,
    Deferred,
    Delivery,
    DeliveryBatch,
    Device,
    DueBatch,
    Engagement,
    InventoryChange,
    Match,
    NotificationRequest,
    OtpChallenge,
    Outcome,
    OutcomeBatch,
    Page,
    Preferences,
    Priority,
    Profile,
    QuietHours,
    State,
    Subscription,
    Template,
    TemplateVersion,
    Variable,
    Words,
    decode,
    encode,
)
from tocsin.records.template import Sms

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)

RECORDS: list[Any] = [
    InventoryChange(event_id="e1", sku="85123A", occurred_at=AT, available=50, version=7),
    NotificationRequest(
        notification_id="n1",
        user_id="17850",
        type="ORDER_CONFIRMATION",
        data={"order": "536365", "total": "139.12"},
        channels=(Channel.EMAIL, Channel.INAPP),
        priority=Priority.HIGH,
        accepted_at=AT,
    ),
    DeliveryBatch(
        [
            Delivery(
                notification_id="n1",
                user_id="17850",
                channel=Channel.EMAIL,
                type="ORDER_CONFIRMATION",
                category="transactional",
                template_id="ORDER_CONFIRMATION",
                data={"order": "536365"},
                accepted_at=AT,
                priority=Priority.HIGH,
                attempt=2,
                not_before=AT,
            )
        ]
    ),
    OutcomeBatch(
        [
            Outcome(
                delivery_id="n1:email",
                notification_id="n1",
                user_id="17850",
                channel="email",
                type="ORDER_CONFIRMATION",
                state=State.DELIVERED,
                attempt=1,
                accepted_at=AT,
                at=AT,
                provider="smtp",
                provider_message_id="<n1@tocsin>",
            )
        ]
    ),
    Engagement(
        event_id="e2", kind="click", notification_id="n1", user_id="17850", at=AT, bot=True,
        bot_reason="HEAD",
    ),
    DeadLetter(
        topic="notification.requests", partition=1, offset=5, error="Invalid", field="user_id",
        reason="missing", payload_b64="e30=", at=AT,
    ),
    OtpChallenge(
        challenge_id="c1", user_id="17850", channel=Channel.SMS, purpose="login", expires_at=AT
    ),
    Profile(
        user_id="17850",
        email="17850@example.org",
        phone="+447700900123",
        devices={"d1": Device(platform="ios", token="ab" * 32)},
        preferences=Preferences(
            muted={"stock": (Channel.SMS,)}, quiet_hours=QuietHours("22:00", "07:00")
        ),
        version=3,
    ),
    Subscription(subscription_id="s1", user_id="17850", sku="85123A", created_at=AT),
    DueBatch([
        Deferred(
            schedule_id="n1:email",
            request=NotificationRequest(notification_id="n1", user_id="17850", type="REVIEW"),
            channels=(Channel.EMAIL,), accepted_at=AT, due_at=AT, why="escalation",
            unless=Condition.READ,
        )
    ]),
    Cancellation(notification_id="n1", at=AT, by="shop"),
    Template(
        template_id="ORDER_CONFIRMATION", published=1, revision=2, updated_at=AT,
        versions=(
            TemplateVersion(
                number=1, created_at=AT, variables={"order": Variable(aliases=("order_id",))},
                locales={"en": Words(sms=Sms(body="Order {{ order }}"))}, sample={"order": "1"},
            ),
        ),
    ),
    Broadcast(
        broadcast_id="b1", audience=Audience(segment=(Match("country", "in", ("DE", "FR")),)),
        type="SALE_OFFER", accepted_at=AT, data={"offer": "20 %"},
    ),
    Page(
        broadcast=Broadcast(
            broadcast_id="b1", audience=Audience(topic="news"), type="NEWSLETTER", accepted_at=AT
        ),
        after="17850", number=3, looked_at=3_000, told=12,
    ),
]  # fmt: skip


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_the_wire_format_is_the_golden_one(record: Any) -> None:
    golden = (GOLDEN / f"{type(record).__name__}.json").read_bytes().strip()
    assert encode(record) == golden
    assert decode(type(record), golden) == record
