"""Time zones that exist."""

from functools import lru_cache
from zoneinfo import available_timezones

from tocsin.errors import Invalid
from tocsin.records import Preferences


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check_zone(preferences: Preferences, field: str) -> None:
    """Raises `Invalid` for a zone that IANA does not list: quiet hours would be kept at a wrong
    time, or crash whoever computes them."""
    if preferences.timezone not in _zones():
        raise Invalid(field, f"{preferences.timezone!r} is not an IANA time zone")
