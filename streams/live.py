"""The live feed of the index page: outcomes counted as they pass, four frames a second."""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Sequence

from actors.pool import Pools
from streams.consume import OUTAGE, Record
from tocsin.records import TERMINAL, Outcome, OutcomeBatch, State, decode_internal, encode

log = logging.getLogger(__name__)

EVERY = 0.25
"""Seconds between frames."""

_FEED = 12
AUDIENCE = "ops"


class Live:
    """Work for ``delivery.outcomes``: a view, so it keeps nothing and acknowledges at once."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._counts: Counter[tuple[str, str]] = Counter()
        self._feed: deque[Outcome] = deque(maxlen=_FEED)
        self._since = time.monotonic()

    async def __call__(self, records: Sequence[Record]) -> None:
        for record in records:
            for outcome in decode_internal(OutcomeBatch, record.value).outcomes:
                if outcome.state in TERMINAL:
                    self._feed.append(outcome)
                elif outcome.state is not State.ACCEPTED:
                    continue  # a station between, or a receipt
                self._counts[outcome.channel, outcome.state] += 1

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
        """What happened since the last frame, as one WebSocket text frame."""
        counters: dict[str, dict[str, int]] = {}
        for (channel, state), count in self._counts.items():
            counters.setdefault(channel, {})[state] = count
        ended = sum(n for (_, state), n in self._counts.items() if state != State.ACCEPTED)
        frame = {
            "op": "live",
            "at": time.time(),
            "per_s": round(ended / max(now - self._since, 0.001), 1),
            "counters": counters,
            "feed": [_entry(outcome) for outcome in self._feed],
        }
        self._counts.clear()
        self._feed.clear()
        self._since = now
        return encode(frame)


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
