"""The live frames: what happened since the last one, and nobody's name."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from streams.consume import Record
from streams.live import Live
from tocsin.records import Outcome, OutcomeBatch, State, encode

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def outcome(state: State, milliseconds: float = 40, **more: Any) -> Outcome:
    fields: dict[str, Any] = {
        "delivery_id": "n1:push", "notification_id": "n1", "user_id": "ada-1815", "channel": "push",
        "type": "SALE_OFFER", "state": state, "attempt": 1, "accepted_at": NOW,
        "at": NOW + timedelta(milliseconds=milliseconds), "provider": "apns",
    }  # fmt: skip
    return Outcome(**(fields | more))


async def frame_of(*outcomes: Outcome) -> Any:
    """One frame, through the record that carries them."""
    live = Live(None)  # type: ignore[arg-type]
    await live([Record("delivery.outcomes", 0, 1, encode(OutcomeBatch(list(outcomes))), NOW)])
    return json.loads(live.frame(live._since + 2))


async def test_channels_and_providers_are_counted_by_how_deliveries_ended() -> None:
    frame = await frame_of(
        outcome(State.ACCEPTED, provider=""), outcome(State.DELIVERED), outcome(State.DELIVERED),
        outcome(State.FAILED, reason="503"), outcome(State.EXPIRED, channel="sms", provider=""),
        outcome(State.RETRY), outcome(State.DEFERRED), outcome(State.ROUTED), outcome(State.ACKED),
    )  # fmt: skip
    assert frame["op"] == "live"
    assert frame["counters"] == {
        "push": {"accepted": 1, "delivered": 2, "failed": 1}, "sms": {"expired": 1},
    }  # fmt: skip
    assert frame["providers"] == {"apns": {"delivered": 2, "failed": 1}}
    assert frame["per_s"] == 2.0
    assert [entry["state"] for entry in frame["feed"]] == [
        "delivered", "delivered", "failed", "expired",
    ]  # fmt: skip
    assert frame["feed"][0]["user"] == "ad•••"


async def test_latency_is_of_what_was_delivered() -> None:
    frame = await frame_of(
        *(outcome(State.DELIVERED, 40) for _ in range(99)),
        outcome(State.DELIVERED, 2_000), outcome(State.FAILED, 60_000),
        outcome(State.DELIVERED, -5, channel="inapp"),
    )  # fmt: skip
    push = frame["latency"]["push"]
    assert push["count"] == 100
    assert 33 <= push["p50_ms"] <= 48
    assert 33 <= push["p95_ms"] <= 48
    assert frame["latency"]["inapp"]["p50_ms"] < 1, "clocks differ: never below zero"


async def test_a_frame_begins_anew() -> None:
    live = Live(None)  # type: ignore[arg-type]
    live.see([outcome(State.DELIVERED)])
    live.frame(live._since + 1)
    empty = json.loads(live.frame(live._since + 1))
    assert (empty["counters"], empty["providers"], empty["latency"], empty["feed"]) == (
        {}, {}, {}, [],
    )  # fmt: skip
