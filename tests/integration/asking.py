"""Hand-written books for the tests of the questions, and the answers to them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver import AsyncClient

from analytics.questions import ask, question
from analytics.writer.tables import ACCEPTED, DELIVERIES, ENGAGEMENT, Table
from tests.integration.test_analytics_schema import insert
from tocsin.records import Engagement, Outcome, State

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
"""Two days ago: old rows go by themselves, so the books cannot be of a day of the past."""

UNTIL = (NOON + timedelta(hours=6)).isoformat()

CREATE_WAVES = """
    CREATE TABLE IF NOT EXISTS tocsin.waves
    (at DateTime64(3, 'UTC'), sku String, notification_id String, available Int64)
    ENGINE = ReplacingMergeTree ORDER BY (at, sku, notification_id)
"""


class Books:
    """Rows, written before the next question: each twice, in two parts, and it must count once."""

    def __init__(self, client: AsyncClient) -> None:
        self._client, self._events = client, 0
        self._rows: dict[Table, list[Any]] = {}
        self._waves: list[list[Any]] = []

    def send(
        self,
        name: str,
        channel: str = "push",
        state: State | None = State.DELIVERED,
        after: float = 1,
        **more: Any,
    ) -> None:
        """A delivery, accepted at NOON and over `after` seconds later; `state` None: in flight."""
        fields: dict[str, Any] = {
            "delivery_id": f"{name}:{channel}", "notification_id": name, "user_id": "u",
            "channel": channel, "type": "SALE_OFFER", "attempt": 1, "accepted_at": NOON,
            "template_id": "sale", "template_version": 1,
        } | more  # fmt: skip
        began = fields["accepted_at"]
        opened = Outcome(**fields, state=State.ACCEPTED, at=began)
        self._rows.setdefault(ACCEPTED, []).append(opened)
        if state is not None:
            ended = Outcome(**fields, state=state, at=began + timedelta(seconds=after))
            self._rows.setdefault(DELIVERIES, []).append(ended)

    def did(
        self, kind: Any, name: str, channel: str = "push", after: float = 60, **more: Any
    ) -> None:
        """Something done with a message, `after` seconds after NOON; with `bot_reason` by a bot."""
        self._events += 1
        at = NOON + timedelta(seconds=after)
        fields: dict[str, Any] = {"type": "SALE_OFFER", "bot": bool(more.get("bot_reason"))} | more
        event = Engagement(f"e{self._events}", kind, name, "u", at, channel, **fields)
        self._rows.setdefault(ENGAGEMENT, []).append(event)

    def told(self, name: str, sku: str, available: int, at: datetime = NOON) -> None:
        """Somebody was told that a SKU is back."""
        self._waves.append([at, sku, name, available])

    async def ask(self, name: str, **given: str) -> list[tuple[Any, ...]]:
        """The rows of an answer, over the day that ends at UNTIL."""
        return [tuple(row.values()) for row in await self.rows(name, **given)]

    async def rows(self, name: str, **given: str) -> list[dict[str, Any]]:
        """The same with columns by name."""
        await self.write()
        asked = question(name)
        values = asked.values({"hours": "24", "until": UNTIL} | given, NOON)
        found = await ask(self._client, asked, values, 100, 60)
        assert not found.truncated
        names = [column for column, _ in found.columns]
        return [dict(zip(names, row, strict=True)) for row in found.rows]

    async def write(self) -> None:
        """What was not written yet."""
        for table, rows in self._rows.items():
            for _ in range(2):
                await insert(self._client, table, *rows)
        if self._waves:
            await self._client.command(CREATE_WAVES)
        for _ in range(2 if self._waves else 0):
            columns = ["at", "sku", "notification_id", "available"]
            await self._client.insert("waves", self._waves, columns, "tocsin")
        self._rows, self._waves = {}, []


def column(rows: Sequence[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Some columns of an answer."""
    return [tuple(row[name] for name in names) for row in rows]
