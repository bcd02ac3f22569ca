"""Figures: the overview, its charts and tables, the waves."""

from typing import Any

from tests.browser.console_answers.made_up import CHANNELS, HOSTILE, Json, at


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
