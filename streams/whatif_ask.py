"""What `tocsin whatif` is asked, checked before anything is read."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

import msgspec

from streams.whatif import EVERYBODY, Patch, patched
from tocsin.errors import ConfigError, Invalid
from tocsin.records import Profile
from tocsin.records.fields import Instant

_AGE: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(s|m|h|d|w)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(name: str, text: str, now: datetime) -> datetime:
    """An RFC 3339 date-time, or an age such as ``2h`` (s, m, h, d, w) before `now`.

    Raises `Invalid` naming the option.
    """
    if age := _AGE.fullmatch(text.strip()):
        span = timedelta(**{_UNITS[age[2]]: float(age[1])})
        return now - min(span, timedelta(weeks=1_000))
    try:
        return msgspec.convert(text.strip(), Instant)
    except msgspec.ValidationError:
        example = "2026-11-24T08:00:00Z"
        raise Invalid(
            name, f"{text!r} is neither an age such as 2h nor a date-time such as {example}"
        ) from None


def read_patch(file: Path) -> Patch:
    """``{"<user id>" or "*": {merge patch of their preferences}}``.

    Raises `ConfigError` for a file that cannot be read, `Invalid` naming person and field for
    preferences that are none.
    """
    try:
        document = json.loads(file.read_text())
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: not JSON: {error}") from None
    return checked(document)


def checked(document: Any) -> Patch:
    """A patch that makes preferences of any preferences. Raises `Invalid` (see `read_patch`)."""
    if not isinstance(document, Mapping):
        raise Invalid("", 'expected an object: {"<user id>" or "*": {…preferences…}}')
    for who, change in document.items():
        if not isinstance(change, Mapping):
            raise Invalid(who, "expected an object of preferences")
        # what fits somebody who has said nothing yet fits everybody
        found = patched(Profile(user_id=who), {who: change})
        if found and found.preferences.timezone not in available_timezones():
            zone = found.preferences.timezone
            raise Invalid(f"{who}.timezone", f"{zone!r} is not an IANA time zone")
    return document


def people_of(patch: Patch) -> set[str]:
    """Those whose preferences it names."""
    return set(patch) - {EVERYBODY}
