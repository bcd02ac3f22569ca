"""What an HTTP answer means where the vendor's own code says nothing: pure functions."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from tocsin.errors import Permanent, ProviderDown, SendError, Transient

MAX_RETRY_AFTER: Final = 300.0
"""A hostile or huge Retry-After is cut to this many seconds."""

_SECONDS = re.compile(r"\s*(\d{1,18})(?:\.\d+)?\s*").fullmatch


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds to wait, 0 to MAX_RETRY_AFTER; None without a header or with one nobody can read."""
    if header is None:
        return None
    if match := _SECONDS(header):
        return min(float(match[1]), MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def by_status(status: int, reason: str, provider: str, wait: float | None) -> SendError:
    """The error for a status that is not a success: vendors ask that unknown codes fall back to it.

    5xx, 408, 425 and 429 come again; everything else does not.
    """
    if status >= 500:
        return ProviderDown(reason or f"status {status}", provider, wait)
    if status in (408, 425, 429):
        return Transient(reason or f"status {status}", provider, wait)
    return Permanent(reason or f"status {status}", provider)
