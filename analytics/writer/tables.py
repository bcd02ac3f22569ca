"""Which columns of which table a record fills: the writer's half of the migrations.

Values are clamped to what a column can hold: one absurd number must not stop a whole block.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

EARLIEST_MS: Final = -2_208_988_800_000
LATEST_MS: Final = 10_413_791_999_999
"""1900-01-01 and 2299-12-31: what a DateTime64 shows."""

_INT64: Final = 2**63 - 1
_STRING: Final = "String"
_WORD: Final = "LowCardinality(String)"
_TIME: Final = "DateTime64(3, 'UTC')"
_WHOLE: Final = "Nullable(Int64)"
_VERSION: Final = "UInt32"
_HASH: Final = "UInt32"


class Column(NamedTuple):
    """A column, its ClickHouse type, and how its values are found in rows' records."""

    name: str
    type: str
    values: Callable[[Sequence[Any]], list[Any]]


@dataclass(frozen=True)
class Table:
    """A table and its columns in the order they are sent."""

    name: str
    columns: tuple[Column, ...]

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def names(self) -> list[str]:
        """Column names."""
        return [column.name for column in self.columns]

    @property
    def types(self) -> list[str]:
        """ClickHouse type names."""
        return [column.type for column in self.columns]

    def fill(self, rows: Sequence[Any]) -> list[list[Any]]:
        """The rows as one list per column."""
        return [column.values(rows) for column in self.columns]


def milliseconds(at: datetime) -> int:
    """Since 1970 in UTC, within what ClickHouse can show."""
    found = round(at.timestamp() * 1000)
    # compared rather than min(max()): this runs three times per row
    if EARLIEST_MS <= found <= LATEST_MS:
        return found
    return EARLIEST_MS if found < EARLIEST_MS else LATEST_MS


def _same(name: str, kind: str, source: str = "") -> Column:
    get = attrgetter(source or name)
    return Column(name, kind, lambda rows: list(map(get, rows)))


def _or_empty(name: str, kind: str) -> Column:
    get = attrgetter(name)
    return Column(name, kind, lambda rows: [value or "" for value in map(get, rows)])


def _time(name: str) -> Column:
    get = attrgetter(name)
    return Column(name, _TIME, lambda rows: [milliseconds(at) for at in map(get, rows)])


def _time_if_any(name: str) -> Column:
    get = attrgetter(name)

    def values(rows: Sequence[Any]) -> list[int | None]:
        return [None if at is None else milliseconds(at) for at in map(get, rows)]

    return Column(name, f"Nullable({_TIME})", values)


def _whole(name: str, kind: str, least: int, most: int) -> Column:
    get = attrgetter(name)

    def values(rows: Sequence[Any]) -> list[int | None]:
        found = list(map(get, rows))
        # nearly always they fit, and then nothing runs per row
        if found and None not in found and least <= min(found) and max(found) <= most:
            return found
        return [None if n is None else min(max(n, least), most) for n in found]

    return Column(name, kind, values)


def _other_ids(rows: Sequence[Any]) -> list[str]:
    return [
        "" if row.delivery_id == f"{row.notification_id}:{row.channel}" else row.delivery_id
        for row in rows
    ]


def _mail_domain(row: Any) -> str:
    """The domain of a Message-ID that is made of the delivery's id, as the SMTP provider makes it;
    empty for every other message id."""
    found: str = row.provider_message_id
    if found[:1] != "<" or found[-1:] != ">":
        return ""
    name = urlsafe_b64encode(row.delivery_id.encode()).rstrip(b"=").decode()
    return found[len(name) + 2 : -1] if found.startswith(f"<{name}@") else ""


def _message_ids(rows: Sequence[Any]) -> list[str]:
    return ["" if _mail_domain(row) else row.provider_message_id for row in rows]


_DELIVERY: Final = (
    _same("notification_id", _STRING), Column("other_id", _STRING, _other_ids),
    _same("user_id", _STRING), _same("channel", _WORD), _same("type", _WORD),
    _same("template_id", _WORD), _whole("template_version", _VERSION, 0, 2**32 - 1),
    _time("accepted_at"), _time("at"),
)  # fmt: skip

REQUESTS: Final = Table("requests", (
    _same("notification_id", _STRING), _same("user_id", _STRING), _same("type", _WORD),
    _same("accepted_at", _TIME), _same("due_at", _TIME), _same("topic", _WORD),
    _same("partition", "UInt32"), _same("offset", "UInt64"),
))  # fmt: skip

ACCEPTED: Final = Table("accepted", _DELIVERY)

DELIVERIES: Final = Table("deliveries", (
    *_DELIVERY, _same("state", _WORD, "state.value"), _same("reason", _WORD),
    _same("provider", _WORD), Column("message_id", _STRING, _message_ids),
    Column("mail_domain", _WORD, lambda rows: list(map(_mail_domain, rows))),
    _whole("attempt", "UInt16", 0, 2**16 - 1), _same("destination", _WORD),
    _whole("content_hash", _HASH, 0, 2**32 - 1), _whole("data_hash", _HASH, 0, 2**32 - 1),
))  # fmt: skip

DECISIONS: Final = Table("decisions", (
    _same("notification_id", _STRING), _same("user_id", _STRING), _same("channel", _WORD),
    _time("at"), _same("state", _WORD, "state.value"), _whole("attempt", "UInt16", 0, 2**16 - 1),
    _same("reason", _WORD), _same("trace", _STRING), _time_if_any("due_at"),
    _same("template_id", _WORD), _whole("template_version", _VERSION, 0, 2**32 - 1),
))  # fmt: skip

ENGAGEMENT: Final = Table("engagement", (
    _same("event_id", _STRING), _same("kind", _WORD), _same("notification_id", _STRING),
    _same("user_id", _STRING), _same("channel", _WORD), _same("type", _WORD),
    _same("link", _STRING), _same("bot", "Bool"), _same("bot_reason", _WORD), _time("at"),
    _same("reference", _STRING), _same("value", "Float64"), _same("currency", _WORD),
))  # fmt: skip

INVENTORY: Final = Table("inventory", (
    _same("event_id", _STRING), _same("sku", _STRING), _or_empty("product_id", _STRING),
    _or_empty("location", _WORD), _whole("available", _WHOLE, -_INT64, _INT64),
    _whole("delta", _WHOLE, -_INT64, _INT64), _whole("version", _WHOLE, -_INT64, _INT64),
    _time("occurred_at"),
))  # fmt: skip

DEAD_LETTERS: Final = Table("dead_letters", (
    _same("topic", _WORD), _whole("partition", "UInt32", 0, 2**32 - 1),
    _whole("offset", "UInt64", 0, 2**64 - 1), _same("notification_id", _STRING),
    _same("error", _WORD), _same("field", _STRING), _same("reason", _STRING),
    _same("payload_b64", _STRING), _time("at"),
))  # fmt: skip

ERASURES: Final = Table("erasures", (
    _same("user_id", _STRING), _same("at", _TIME), _same("back", "Bool"),
))  # fmt: skip

TABLES: Final = (
    REQUESTS, ACCEPTED, DELIVERIES, DECISIONS, ENGAGEMENT, INVENTORY, DEAD_LETTERS, ERASURES,
)  # fmt: skip
"""In the order a block is written: nothing ends in ClickHouse before it has begun there."""
