"""What the checker takes the types of notifications to mean.

Written down again on purpose, and not read from what is judged; a test holds it against the bundled
streams/rules.toml. A shop's own rules need a run that names its channels and expiries.
"""

from typing import Final, NamedTuple

_DAY: Final = 86_400.0


class Meaning(NamedTuple):
    """The channels of a notification that names none, how long it makes sense (s), and whether an
    opt-out ends it."""

    channels: tuple[str, ...]
    lifetime: float
    marketing: bool = False


TYPES: Final[dict[str, Meaning]] = {
    "BACK_IN_STOCK": Meaning(("inapp", "push", "email"), _DAY),
    "ORDER_CONFIRMATION": Meaning(("inapp", "email"), 3 * _DAY),
    "ORDER_UPDATE": Meaning(("inapp", "push", "sms"), 3 * _DAY),
    "SALE_OFFER": Meaning(("inapp", "push"), _DAY, True),
    "NEWSLETTER": Meaning(("email",), 3 * _DAY, True),
    "REVIEW": Meaning(("inapp", "email"), 3 * _DAY, True),
    "COMPLAINT_RESPONSE": Meaning(("inapp", "email"), 3 * _DAY),
    "NEW_COMPLAINT": Meaning(("inapp", "email"), 3 * _DAY),
    "OTP": Meaning(("sms",), 300.0),
    "DIGEST": Meaning(("email",), 3 * _DAY),
}
OTHER: Final = Meaning(("inapp", "push"), _DAY)
"""Of any type that is not in `TYPES`."""

CLASSES: Final[dict[str, str]] = {
    "lost": "accepted, and neither sent nor ended for a reason that holds",
    "duplicate": "sent twice to one address, ended twice, or told twice for one sign-up",
    "phantom": "sent or on the books, and nobody asked for it",
    "misordered": "asked for after another was answered, and received long before it",
    "late": "received after it had expired",
    "after_opt_out": "marketing received after an opt-out had been accepted",
    "in_quiet_hours": "received inside quiet hours, and not critical",
    "wrong_channel": "on a channel that was not asked for, or by another channel's provider",
    "wrong_recipient": "received at an address that is not the person's",
}
"""What each class of fault means, in `FAULTS`' order."""
