"""Who reads what: the consumer groups, and the topics whose records each must finish.

A record counts as done when every group that reads its topic has committed past it.
"""

from collections.abc import Mapping
from typing import Final

from tocsin.topics import (
    BROADCASTS,
    BY_CHANNEL,
    DEAD,
    DUE,
    ENGAGEMENT,
    INVENTORY,
    OTP,
    OUTCOMES,
    PAGES,
    PROFILES,
    REQUESTS_BY_LANE,
    RETRIES,
    RETRIES_HIGH,
    Topic,
)

STREAMS: Final = "tocsin-streams"
STREAMS_OTP: Final = "tocsin-otp"
ANALYTICS: Final = "tocsin-analytics"

READS: Final[Mapping[str, tuple[Topic, ...]]] = {
    STREAMS: (
        INVENTORY, *REQUESTS_BY_LANE.values(), DUE, BROADCASTS, PAGES, *BY_CHANNEL.values(),
        *RETRIES, *RETRIES_HIGH,
    ),
    STREAMS_OTP: (OTP,),
    ANALYTICS: (
        *REQUESTS_BY_LANE.values(), OTP, OUTCOMES, ENGAGEMENT, INVENTORY, DEAD, PROFILES,
    ),
}  # fmt: skip
"""The live page's view of ``delivery.outcomes`` is left out: nothing waits for a picture."""
