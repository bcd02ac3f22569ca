"""The providers as all processes together find them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from tocsin.spread import Spread
from tocsin.store.provider_states import BreakerState, ProviderState

_BADNESS: Final = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


class ProviderNow(msgspec.Struct, frozen=True):
    """`state` is the worst that any process's breaker is in, `since` and `reason` that one's. The
    rest is of all processes' last minute: calls, those that failed by the provider's fault, and how
    long they took."""

    provider: str
    channel: str
    state: str
    since: datetime
    reason: str
    calls: int
    failures: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


def merged(states: Iterable[ProviderState]) -> list[ProviderNow]:
    """One row per provider, in the order of channels and names."""
    found: dict[tuple[str, str], list[ProviderState]] = defaultdict(list)
    for each in states:
        found[each.channel, each.provider].append(each)
    return [_one(found[key]) for key in sorted(found)]


def _one(states: Sequence[ProviderState]) -> ProviderNow:
    worst = max(states, key=lambda each: (_BADNESS[each.state], each.since))
    spread = Spread(pair for each in states for pair in each.spread)
    return ProviderNow(
        provider=worst.provider,
        channel=worst.channel,
        state=worst.state.value,
        since=worst.since,
        reason=worst.reason,
        calls=sum(each.calls for each in states),
        failures=sum(each.failures for each in states),
        p50_ms=spread.quantile(0.5),
        p95_ms=spread.quantile(0.95),
        p99_ms=spread.quantile(0.99),
    )
