"""Field types shared by the records: what an id, a type or an instant may look like."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=128)]
"""Any identifier a producer chooses."""

TypeName = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
"""A notification type: an open set of upper-case words, such as BACK_IN_STOCK."""

Category = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""A preference category: transactional, stock, promotional, security, or a shop's own."""

Instant = Annotated[datetime, Meta(tz=True)]
"""An RFC 3339 date-time with its offset."""

_EARLIEST, _LATEST = 2000, 2200


def sane(name: str, at: datetime | None) -> None:
    """Raise `ValueError` for an instant no arithmetic of ours survives (year 1, year 9999)."""
    if at is not None and not _EARLIEST <= at.year < _LATEST:
        raise ValueError(f"`{name}` must lie between the years {_EARLIEST} and {_LATEST}")


Count = Annotated[int, Meta(ge=0, le=2**53)]
Delta = Annotated[int, Meta(ge=-(2**53), le=2**53)]
