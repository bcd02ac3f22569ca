"""What should have ended by now and has not, as a metric."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient
from prometheus_client import REGISTRY

from analytics.writer.tables import ACCEPTED, DECISIONS, DELIVERIES
from analytics.writer.unfinished import count
from tests.integration.test_analytics_schema import insert
from tocsin.records import CHANNELS, Outcome, State

pytestmark = pytest.mark.integration

AGO = datetime.now(UTC) - timedelta(hours=2)


def outcome(name: str, state: State, at: datetime = AGO, **more: Any) -> Outcome:
    return Outcome(f"{name}:push", name, "u", "push", "SALE_OFFER", state, 1, at, at, **more)


def unfinished() -> dict[str, float | None]:
    name = "tocsin_unfinished_deliveries"
    return {c.value: REGISTRY.get_sample_value(name, {"channel": c.value}) for c in CHANNELS}


async def test_only_what_is_neither_over_nor_waiting_nor_young_counts(
    clickhouse: AsyncClient,
) -> None:
    now = datetime.now(UTC)
    await count(clickhouse)
    assert unfinished() == dict.fromkeys(("push", "sms", "email", "inapp"), 0.0)
    opened = [outcome(name, State.ACCEPTED) for name in ("over", "waits", "late", "acked", "lost")]
    young = outcome("young", State.ACCEPTED, now)
    await insert(clickhouse, ACCEPTED, *opened, opened[-1], young)
    await insert(
        clickhouse, DELIVERIES, outcome("over", State.FAILED), outcome("acked", State.ACKED)
    )
    await insert(
        clickhouse, DECISIONS,
        outcome("waits", State.DEFERRED, due_at=now + timedelta(hours=8)),
        outcome("late", State.RETRY, due_at=now - timedelta(minutes=1)),
    )  # fmt: skip
    await count(clickhouse)
    assert unfinished() == {"push": 3.0, "sms": 0.0, "email": 0.0, "inapp": 0.0}
