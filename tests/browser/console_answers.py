"""What a made-up Tocsin answers the console: a busy hour, with something of everything in it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

CHANNELS = ("inapp", "push", "sms", "email")
HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
"""Text that must stay text."""


def at(seconds: float = 0) -> str:
    """A time that many seconds ago."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def overview(**change: Any) -> Json:
    accepted = {"inapp": 412_903, "push": 388_120, "sms": 91_455, "email": 402_311}
    shares = {"failed": 0.004, "suppressed": 0.021, "expired": 0.001, "cancelled": 0.006}
    channels = []
    for place, (channel, count) in enumerate(accepted.items()):
        rest = {state: int(count * share) for state, share in shares.items()}
        flight = 37 * place
        channels.append(
            {
                "channel": channel,
                "accepted": count,
                **rest,
                "in_flight": flight,
                "queued": 3 * place,
                "delivered": count - sum(rest.values()) - flight,
                "deferred": 210 * place,
                "retrying": place,
                "delivered_per_s": 41.5 - 8 * place,
                "failed_per_s": 0.05 * place,
                "p50_ms": 18.0 * 4**place,
                "p95_ms": 61.0 * 4**place,
                "p99_ms": 140.0 * 4**place,
            }
        )
    states = [
        ("apns", "push", "closed", ""),
        ("fcm", "push", "half_open", "503 from messages:send"),
        ("twilio", "sms", "open", "12 of 20 calls failed: 429"),
        ("smtp", "email", "closed", ""),
    ]
    providers = [
        {
            "provider": name,
            "channel": channel,
            "state": state,
            "since": at(95),
            "reason": reason,
            "calls": 1_840,
            "failures": 0 if state == "closed" else 61,
            "p50_ms": 21.0,
            "p95_ms": 74.0,
            "p99_ms": 210.0,
        }
        for name, channel, state, reason in states
    ]
    return {
        "at": at(),
        "demo": True,
        "engines": {"kafka": True, "redis": True, "clickhouse": True},
        "lag": [
            {"group": "senders-push", "topic": "channel.push", "records": 1_204},
            {"group": "books", "topic": "delivery.outcomes", "records": 312},
            {"group": "router", "topic": "notification.requests", "records": 0},
        ],
        "channels": channels,
        "providers": providers,
        "sockets": {"connected": 2_381, "exact": True},
        "schedule": {"waiting": 1_377},
        "dead": {"open": 2},
    } | change


def series(hours: int, step: str) -> Json:
    length = 60 if step == "minute" else 3_600
    points = []
    for place in range(int(hours * 3_600 / length)):
        for number, channel in enumerate(CHANNELS):
            count = (place * 7_919 + number * 104_729) % 900 + 2_400 - 300 * number
            points.append(
                {
                    "at": at(place * length),
                    "channel": channel,
                    "state": "delivered",
                    "deliveries": count,
                }
            )
        points.append(
            {
                "at": at(place * length),
                "channel": "sms",
                "state": "failed",
                "deliveries": 31 + place % 9,
            }
        )
    return {"step": step, "points": points}


def latency() -> Json:
    points = [
        {
            "at": at(60 * minute),
            "channel": channel,
            "deliveries": 80 + (minute * 37 + n * 11) % 60,
            "p50_ms": 20.0 * 4**n,
            "p95_ms": (60.0 + (minute * 13) % 40) * 4**n,
            "p99_ms": 150.0 * 4**n,
        }
        for minute in range(60)
        for n, channel in enumerate(CHANNELS)
    ]
    return {"points": points}


FAILURES: Json = {
    "rows": [
        {
            "channel": "sms",
            "provider": "twilio",
            "state": "failed",
            "reason": "21211 not a number",
            "deliveries": 412,
            "last_at": at(40),
        },
        {
            "channel": "email",
            "provider": "",
            "state": "suppressed",
            "reason": "opted_out",
            "deliveries": 1_290,
            "last_at": at(3),
        },
        {
            "channel": "push",
            "provider": "apns",
            "state": "failed",
            "reason": "410 Unregistered",
            "deliveries": 96,
            "last_at": at(700),
        },
        {
            "channel": "push",
            "provider": "fcm",
            "state": "failed",
            "reason": HOSTILE,
            "deliveries": 1,
            "last_at": at(9_000),
        },
    ]
}

WAVES: Json = {
    "waves": [
        {
            "sku": "22423",
            "at": at(300),
            "available": 24,
            "told": 310,
            "delivered": 296,
            "failed": 8,
            "clicked": 97,
            "waiting": 0,
        },
        {
            "sku": "85123A",
            "at": at(4_000),
            "available": 50,
            "told": 122,
            "delivered": 119,
            "failed": 2,
            "clicked": 31,
            "waiting": 14,
        },
        {
            "sku": "21730",
            "at": at(90_000),
            "available": 0,
            "told": 8,
            "delivered": 8,
            "failed": 0,
            "clicked": 0,
            "waiting": 3,
        },
    ]
}


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


TEMPLATES: Json = {
    "templates": [
        {
            "template_id": "BACK_IN_STOCK",
            "published": 2,
            "bundled": True,
            "revision": 4,
            "updated_at": at(9_000),
            "versions": [
                {"number": 2, "created_at": at(9_000), "locales": ["de", "en"], "note": "warmer"},
                {"number": 1, "created_at": at(99_000), "locales": ["en"]},
                {"number": 0, "created_at": at(1e7), "locales": ["de", "en", "fr"]},
            ],
        },
        {
            "template_id": "ORDER_UPDATE",
            "published": 0,
            "bundled": True,
            "revision": 0,
            "updated_at": None,
            "versions": [{"number": 0, "created_at": at(1e7), "locales": ["en"]}],
        },
    ]
}


def version(number: int) -> Json:
    return {
        "template_id": "BACK_IN_STOCK",
        "number": number,
        "created_at": at(9_000),
        "default_locale": "en",
        "note": "",
        "variables": {
            "name": {"type": "string"},
            "available": {"type": "integer", "required": False},
        },
        "locales": {"en": {}, "de": {}},
        "sample": {"name": "Cake stand", "available": 24},
    }


MAIL = """<html><head><style>
@media all { .card { background: url(http://elsewhere.example/a.png); color: rgb(1, 2, 3) } }
</style></head><body style="background: #f4f1ea">
<div class="card" style="padding: 24px; border-radius: 12px"><h1 style="margin: 0">SAID</h1>
<p>Only a few are left.</p>
<a href="javascript:window.top.hit=1"
  style="display: inline-block; padding: 10px 18px; background: #d3461e; color: #fff">See it</a>
HOSTILE<img src="http://elsewhere.example/pixel.gif" width="1" height="1">
<img src="http://elsewhere.example/stand.jpg" alt="Cake stand"></div></body></html>"""


def preview(asked: Json) -> Json:
    name = asked["data"]["name"]
    said = f"Es gibt wieder: {name}" if asked["locale"] == "de" else f"{name} is here again"
    html = MAIL.replace("SAID", said).replace("HOSTILE", HOSTILE)
    return {
        "template_id": "BACK_IN_STOCK",
        "version": asked["version"],
        "silent": ["inapp"],
        "channels": {
            "push": {
                "locale": asked["locale"],
                "title": "Back in stock",
                "text": said,
                "link": "https://shop.example/p/22423",
                "bytes": 412,
                "max_bytes": 4_096,
            },
            "sms": {
                "locale": asked["locale"],
                "text": f"{said} https://s.example/c/abc",
                "encoding": "GSM-7",
                "units": 58,
                "parts": 1,
            },
            "email": {
                "locale": asked["locale"],
                "title": said,
                "text": f"{said}.\n\nOnly a few are left.",
                "html": html,
                "bytes": 2_310,
                "max_bytes": 102_400,
                "warnings": ["title cut at 200 characters"],
            },
        },
    }


HOURS: Json = {"name": "hours", "type": "UInt32", "default": "24", "about": "how far back"}
QUESTIONS: Json = {
    "questions": [
        {
            "name": "funnel",
            "about": "Of what was accepted, what arrived, was opened, clicked and bought.",
            "parameters": [HOURS],
        },
        {
            "name": "ctr_by_template_version",
            "about": "Clicks per delivery, by people and by all, with 95 % intervals.",
            "parameters": [
                HOURS,
                {"name": "type", "type": "String", "default": "", "about": "of this type"},
            ],
        },
    ]
}


def stat(name: str) -> Json:
    if name == "funnel":
        names = [
            ("channel", "String"),
            ("accepted", "UInt64"),
            ("delivered", "UInt64"),
            ("opened", "UInt64"),
            ("clicked", "UInt64"),
            ("converted", "UInt64"),
        ]
        rows: list[list[Any]] = [
            ["push", 90_000, 88_210, 0, 7_910, 402],
            ["email", 70_000, 69_000, 31_002, 5_120, 377],
        ]
    else:
        names = [
            ("template_id", "String"),
            ("template_version", "UInt32"),
            ("deliveries", "UInt64"),
        ]
        names += [
            (f"{who}ctr{end}", "Float64") for who in ("", "raw_") for end in ("", "_low", "_high")
        ]
        rows = [
            ["BACK_IN_STOCK", 2, 12_004, 0.112, 0.106, 0.118, 0.161, 0.154, 0.168],
            ['=SALE, "now"', 3, 2_100, 0.031, 0.024, 0.039, 0.052, 0.043, 0.062],
        ]
    columns = [{"name": each, "type": kind} for each, kind in names]
    about = next(each["about"] for each in QUESTIONS["questions"] if each["name"] == name)
    return {"name": name, "about": about, "columns": columns, "rows": rows, "truncated": False}
