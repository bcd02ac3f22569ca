"""The load that is asked about. Pure; refuses what makes no sense, naming the field."""

from collections.abc import Mapping
from math import isfinite
from typing import Final

import msgspec

from loadtest.capacity.arrivals import Flow
from loadtest.capacity.drivers import CHANNELS
from tocsin.errors import Invalid

DAY_SECONDS: Final = 86_400
DAY_MIX: Final[Mapping[str, float]] = {"push": 10, "sms": 1, "email": 5}

_LEAST, _MOST = 1.0, 1e11
SINGLE: Final = 0.03
BATCHED: Final = 0.50
"""Of the notifications, those that come one a call and those in batches through the API; the others
straight into Kafka: as the load's shapes do."""


class Load(msgspec.Struct, frozen=True):
    """Deliveries and what goes with them. `peak` is the busiest quarter of an hour over the mean.

    `clicks`, `sign_ups`, `stock_changes` are a day's; `size` is how many notifications a batch has.
    """

    per_day: float = 16e6
    peak: float = 10
    mix: Mapping[str, float] = msgspec.field(default_factory=lambda: dict(DAY_MIX))
    otp_per_day: float = 200_000
    sockets: int = 100_000
    users: int = 4_000_000
    days: int = 30
    headroom: float = 0.4
    size: float = 100
    clicks: float = 300_000
    sign_ups: float = 100_000
    stock_changes: float = 200_000

    @property
    def rate(self) -> float:
        """Deliveries a second at the peak."""
        return self.per_day / DAY_SECONDS * self.peak

    @property
    def shares(self) -> dict[str, float]:
        """Of the deliveries, by channel; they add up to 1."""
        total = sum(self.mix.values())
        return {channel: self.mix.get(channel, 0) / total for channel in CHANNELS}

    def daily(self) -> dict[str, float]:
        """What a day has beside deliveries, by driver."""
        return {
            "otp": self.otp_per_day, "clicks": self.clicks, "sign-ups": self.sign_ups,
            "stock changes": self.stock_changes,
        }  # fmt: skip

    def flows(self, rate: float) -> list[Flow]:
        """How `rate` deliveries a second come."""
        mix, straight = self.shares, 1 - SINGLE - BATCHED
        return [
            Flow("rest", rate * SINGLE, 1, mix),
            Flow("batch", rate * BATCHED / self.size, self.size, mix),
            Flow("kafka", rate * straight / self.size, self.size, mix),
        ]


def checked(load: Load) -> Load:
    """`load`, when it makes sense. Raises `Invalid`."""
    for field, least, most, hint in (
        ("per_day", 1_000, _MOST, "deliveries a day, such as 16e6"),
        ("peak", _LEAST, 1_000, "the busiest time over the mean, 1 or more"),
        ("otp_per_day", 0, _MOST, "log-ins a day"),
        ("sockets", 0, 1e9, "people connected at once"),
        ("users", 1, 1e10, "people registered"),
        ("days", 1, 3_650, "for which every delivery is kept; 30 is what the tables do"),
        ("headroom", 0, 0.9, "the part of every processor left free at the peak, 0 to 0.9"),
        ("size", 1, 1_000, "notifications in a batch call"),
    ):
        value = getattr(load, field)
        if not isfinite(value) or not least <= value <= most:
            name = f"--{field.replace('_', '-')}"
            raise Invalid(name, f"{value:g} is not from {least:g} to {most:g}: {hint}")
    _check_mix(load.mix)
    return load


def _check_mix(mix: Mapping[str, float]) -> None:
    if unknown := next((name for name in mix if name not in CHANNELS), None):
        raise Invalid("--mix", f"{unknown!r} is no channel; there are {', '.join(CHANNELS)}")
    if any(not isfinite(w) or w < 0 for w in mix.values()) or not sum(mix.values()):
        raise Invalid("--mix", "weights are 0 or more, and not all 0: push=10,sms=1,email=5")


def mix(text: str) -> dict[str, float]:
    """`push=10,sms=1` as weights. Raises `Invalid`."""
    found: dict[str, float] = {}
    for item in text.split(","):
        name, equals, weight = item.partition("=")
        try:
            found[name.strip()] = float(weight)
        except ValueError:
            equals = ""
        if not equals:
            raise Invalid("--mix", f"{item!r} is not channel=weight: push=10,sms=1,email=5")
    return found
