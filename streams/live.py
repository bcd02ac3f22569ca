"""The live feed of the pages for operators: outcomes counted as they pass, four frames a second."""

import asyncio
import logging
import time
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence

from actors.pool import Pools
from streams.consume import OUTAGE, Record
from tocsin.records import TERMINAL, Outcome, OutcomeBatch, State, decode_internal, encode
from tocsin.spread import Spread

log = logging.getLogger(__name__)

EVERY = 0.25
"""Seconds between frames."""

_FEED = 12
AUDIENCE = "ops"


class Live:
    """Work for ``delivery.outcomes``: a view, so it keeps nothing and acknowledges at once.

    It sees every outcome, so what it does for one costs about a microsecond.
    """

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._counts: Counter[tuple[str, State]] = Counter()
        self._providers: Counter[tuple[str, State]] = Counter()
        self._took: defaultdict[str, Spread] = defaultdict(Spread)
        self._feed: deque[Outcome] = deque(maxlen=_FEED)
        self._since = time.monotonic()

    async def __call__(self, records: Sequence[Record]) -> None:
        for record in records:
            self.see(decode_internal(OutcomeBatch, record.value).outcomes)

    def see(self, outcomes: Sequence[Outcome]) -> None:
        """Count these; stations between, and receipts, are passed over."""
        for outcome in outcomes:
            state = outcome.state
            if state is State.DELIVERED:
                took = outcome.at - outcome.accepted_at
                self._took[outcome.channel].add(took.total_seconds() * 1000)
            elif state is State.ACCEPTED:
                self._counts[outcome.channel, state] += 1
                continue
            elif state not in TERMINAL:
                continue
            self._counts[outcome.channel, state] += 1
            if outcome.provider:
                self._providers[outcome.provider, state] += 1
            self._feed.append(outcome)

    async def run(self) -> None:
        """Send frames until cancelled; nothing happened, nothing sent."""
        while True:
            await asyncio.sleep(EVERY)
            if self._counts:
                try:
                    await self._pools.broadcast(AUDIENCE, self.frame(time.monotonic()))
                except OUTAGE as error:
                    log.warning("live page: %s", error)

    def frame(self, now: float) -> bytes:
        """What happened since the last frame, as one WebSocket text frame. `latency` is from
        acceptance to delivery, of what was delivered."""
        ended = sum(n for (_, state), n in self._counts.items() if state is not State.ACCEPTED)
        frame = {
            "op": "live",
            "at": time.time(),
            "per_s": round(ended / max(now - self._since, 0.001), 1),
            "counters": _nested(self._counts),
            "providers": _nested(self._providers),
            "latency": {channel: _latency(spread) for channel, spread in self._took.items()},
            "feed": [_entry(outcome) for outcome in self._feed],
        }
        for seen in (self._counts, self._providers, self._took, self._feed):
            seen.clear()
        self._since = now
        return encode(frame)


def _nested(counts: Mapping[tuple[str, State], int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (name, state), count in counts.items():
        found.setdefault(name, {})[state.value] = count
    return found


def _latency(spread: Spread) -> dict[str, float | None]:
    quantiles = {f"p{n}_ms": spread.quantile(n / 100) for n in (50, 95, 99)}
    return {"count": spread.count, **quantiles}


def _entry(outcome: Outcome) -> dict[str, object]:
    return {
        "type": outcome.type,
        "channel": outcome.channel,
        "state": outcome.state,
        "provider": outcome.provider,
        "reason": outcome.reason,
        "user": mask(outcome.user_id),
        "at": outcome.at,
    }


def mask(user_id: str) -> str:
    """Enough to tell two people apart on a screen, not enough to know either."""
    return user_id[:2] + "•••" if len(user_id) > 3 else "•••"
