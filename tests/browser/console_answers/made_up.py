"""What all answers share."""

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

CHANNELS = ("inapp", "push", "sms", "email")
HOSTILE = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
"""Text that must stay text."""


def at(seconds: float = 0) -> str:
    """A time that many seconds ago."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
