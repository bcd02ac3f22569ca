"""Dead letters, and the ways of notifications."""

import json
from typing import Any

from tests.browser.console_answers.made_up import HOSTILE, Json, at


def letter(place: str = "inventory.changes:0:17", **change: Any) -> Json:
    payload = json.dumps({"event_id": "e1", "sku": HOSTILE, "available": "many"})
    return {
        "place": place,
        "topic": place.split(":")[0],
        "at": at(50),
        "error": "Invalid",
        "field": "available",
        "reason": "expected a number, got text",
        "notification_id": "",
        "put_back_at": None,
        "payload": payload,
        "binary": False,
    } | change


def letters() -> list[Json]:
    lost = letter(
        "notification.requests:2:9120",
        field="",
        error="UnicodeDecodeError",
        payload="\ufffd\x00\ufffdnot json",
        reason="could not be processed",
        notification_id="9f0c3b1e-1",
        binary=True,
    )
    return [letter(), lost]


def path() -> Json:
    opening = [
        {"step": "rules", "result": "6a06cd88"},
        {"step": "category", "result": "promotional"},
        {"step": "lane", "result": "low"},
        {"step": "opt_out", "result": "no"},
        {"step": "muted", "result": "no"},
        {"step": "address", "result": "yes"},
    ]
    sent = [*opening, {"step": "quiet", "result": "no"}, {"step": "strategy", "result": "all"}]
    muted = [*opening[:3], {"step": "muted", "result": "muted"}]
    began = at(3_600)
    template = {"template_id": "SALE_OFFER", "template_version": 3}
    return {
        "notification_id": "n-1",
        "complete": True,
        "user_id": "17850",
        "type": "SALE_OFFER",
        "accepted_at": began,
        "channels": {
            "inapp": {
                "state": "delivered",
                "at": at(3_599.9),
                "attempt": 1,
                **template,
                "trace": [
                    {"at": began, "state": "accepted", "steps": sent},
                    {"at": at(3_599.9), "state": "delivered", "attempt": 1},
                ],
            },
            "push": {
                "state": "delivered",
                "at": at(3_590),
                "provider": "apns",
                "provider_message_id": "8F3A-77",
                "attempt": 2,
                **template,
                "trace": [
                    {"at": began, "state": "accepted", "steps": sent},
                    {
                        "at": at(3_599),
                        "state": "retry",
                        "attempt": 1,
                        "reason": "429 TooManyRequests",
                        "due_at": at(3_592),
                    },
                    {"at": at(3_590), "state": "delivered", "attempt": 2},
                ],
            },
            "sms": {
                "state": "suppressed",
                "at": began,
                "reason": "muted",
                **template,
                "trace": [
                    {"at": began, "state": "accepted"},
                    {"at": began, "state": "suppressed", "reason": "muted", "steps": muted},
                ],
            },
            "email": {
                "state": "deferred",
                "at": began,
                "reason": "quiet_hours",
                "due_at": at(-7_200),
                **template,
                "trace": [
                    {"at": began, "state": "accepted"},
                    {
                        "at": began,
                        "state": "deferred",
                        "reason": "quiet_hours",
                        "due_at": at(-7_200),
                        "steps": [*opening, {"step": "quiet", "result": "yes"}],
                    },
                ],
            },
        },
        "dead": None,
    }


def of_user() -> Json:
    channels = {
        "push": {"state": "delivered", "reason": "", "provider": "apns", "at": at(3_590)},
        "sms": {"state": "suppressed", "reason": "muted", "provider": "", "at": at(3_600)},
    }
    return {
        "notifications": [
            {
                "notification_id": "n-1",
                "type": "SALE_OFFER",
                "accepted_at": at(3_600),
                "channels": channels,
            },
            {
                "notification_id": "n-0",
                "type": "ORDER_CONFIRMATION",
                "accepted_at": at(90_000),
                "channels": channels,
            },
        ],
        "cursor": None,
    }
