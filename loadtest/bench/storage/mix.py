"""What a large shop sends in a day, as shares: how often, by which channel, with which ids."""

from typing import Final, NamedTuple

PEOPLE: Final = 2_000_000
DELIVERIES_A_DAY: Final = 16_000_000
LOCALES: Final = 6


class Kind(NamedTuple):
    """A type of notification. `chosen` is the share whose id is derived (version 5: broadcasts,
    restocks, idempotency keys) rather than made by Tocsin (version 7). `wave`: how many people are
    told of one thing; `by_name`: the share whose words name the person or the order."""

    name: str
    category: str
    share: float
    channels: tuple[tuple[tuple[str, ...], float], ...]
    chosen: float
    wave: int
    by_name: float


KINDS: Final = (
    Kind("SALE_OFFER", "promotional", 0.36,
         ((("push",), 0.5), (("email",), 0.25), (("inapp",), 0.25)), 1.0, 400_000, 0.3),
    Kind("BACK_IN_STOCK", "stock", 0.12,
         ((("inapp", "push"), 0.6), (("email",), 0.4)), 1.0, 300, 0.3),
    Kind("PRICE_DROP", "promotional", 0.14,
         ((("inapp", "push"), 0.5), (("push",), 0.5)), 0.3, 300, 0.2),
    Kind("ORDER_CONFIRMATION", "transactional", 0.14,
         ((("email", "inapp"), 0.6), (("email",), 0.4)), 0.5, 1, 1.0),
    Kind("ORDER_SHIPPED", "transactional", 0.14,
         ((("inapp", "push"), 0.6), (("push",), 0.2), (("sms",), 0.2)), 0.5, 1, 1.0),
    Kind("ORDER_UPDATE", "transactional", 0.06, ((("inapp", "push"), 1.0),), 0.5, 1, 1.0),
    Kind("OTP", "security", 0.04, ((("sms",), 0.8), (("email",), 0.2)), 0.0, 1, 1.0),
)  # fmt: skip

DOMAINS: Final = (
    ("gmail.com", 0.46), ("icloud.com", 0.09), ("outlook.com", 0.08), ("hotmail.com", 0.07),
    ("yahoo.com", 0.07), ("gmx.de", 0.04), ("web.de", 0.04), ("orange.fr", 0.03),
    ("t-online.de", 0.02), ("libero.it", 0.02), ("proton.me", 0.02), ("", 0.06),
)  # fmt: skip
"""Mailboxes by domain; the empty one stands for 3,000 small ones."""

PREFIXES: Final = tuple(f"+{country}{n}" for country in (44, 49, 33, 39) for n in range(150, 180))

LATENCY: Final = {"inapp": (12, 0.6), "push": (90, 0.7), "email": (420, 0.8), "sms": (650, 0.6)}
"""Milliseconds from a turn's start to its end: median, and sigma of the log-normal."""

ENDS: Final = (
    ("delivered", "", 0.925),
    ("suppressed", "opt_out", 0.02),
    ("suppressed", "cap", 0.015),
    ("failed", "Unregistered", 0.014),
    ("failed", "attempts exhausted: 503", 0.004),
    ("failed", "550 5.1.1", 0.006),
    ("expired", "expiry", 0.011),
    ("cancelled", "cancelled", 0.005),
)
RETRIED: Final = 0.03
DEFERRED: Final = 0.03
"""Shares that need more than one attempt, and that wait for the morning."""
