"""A circuit breaker: while a provider fails, it is not asked. Pure: the clock and the chance are
brought.

Closed, every call goes through. It opens when, of the calls that ended within a window, too many
failed, or when so many failed one after the other. Open, nothing goes through for a while, each
time twice as long, spread so that the processes do not come back together. Half-open, a few calls
go through to see: if all of them succeed it is closed again, if one fails it is open again.
"""

import random
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from tocsin.store.provider_states import BreakerState


class Policy(NamedTuple):
    """`window` and the times it is open for in seconds; `least` calls must have ended within the
    window before their `ratio` of failures says anything."""

    window: float = 10.0
    least: int = 20
    ratio: float = 0.5
    in_a_row: int = 10
    first: float = 1.0
    longest: float = 30.0
    probes: int = 3


BULK: Final = Policy()

LOG_INS: Final = Policy(least=10, in_a_row=5, first=0.5, longest=2.0, probes=2)
"""Somebody is waiting in front of a screen: noticed sooner, looked again within two seconds."""


class Breaker:
    """Ask `admit` before a call, say `ended` after it, whatever came of it."""

    def __init__(
        self,
        policy: Policy = BULK,
        now: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._policy, self._now, self._chance = policy, now, chance
        self._state = BreakerState.CLOSED
        self.changes = 0
        """How often it opened, half-opened or closed."""
        self.reason = ""
        """Why it is not closed: the last failure's own word."""
        self._ends: deque[tuple[float, bool]] = deque()
        self._failed = self._row = 0
        self._times, self._until = 0, 0.0
        self._probing = self._passed = 0

    @property
    def state(self) -> BreakerState:
        """Once it has been open for long enough it is half-open, if nobody has asked yet, too."""
        if self._state is BreakerState.OPEN and self._now() >= self._until:
            return BreakerState.HALF_OPEN
        return self._state

    def wait(self) -> float | None:
        """None if a call may go through now; else in how many seconds it is worth asking again."""
        if self._state is BreakerState.OPEN and (left := self._until - self._now()) > 0:
            return left
        if self._state is BreakerState.HALF_OPEN and self._probing >= self._policy.probes:
            return self._policy.first
        return None

    def admit(self) -> int | None:
        """A permit for one call, to be handed to `ended`; None when `wait` says so."""
        if self.wait() is not None:
            return None
        if self._state is BreakerState.OPEN:
            self._turn(BreakerState.HALF_OPEN)
        if self._state is BreakerState.HALF_OPEN:
            self._probing += 1
        return self.changes

    def ended(self, permit: int, failed: bool | None, reason: str = "") -> None:
        """How the call of a permit ended; None: nobody knows, or not by the provider.

        A call that began before the last change says nothing of what is now.
        """
        if permit != self.changes:
            return
        if self._state is BreakerState.HALF_OPEN:
            self._seen(failed, reason)
        elif failed is not None:
            self._counted(failed, reason)

    def _seen(self, failed: bool | None, reason: str) -> None:
        """A probe's end."""
        self._probing -= 1
        if failed:
            self._open(reason)
        elif failed is False:
            self._passed += 1
            if self._passed >= self._policy.probes:
                self._times, self.reason = 0, ""
                self._turn(BreakerState.CLOSED)

    def _counted(self, failed: bool, reason: str) -> None:
        """A call's end while it is closed."""
        now = self._now()
        self._ends.append((now, failed))
        self._failed += failed
        self._row = self._row + 1 if failed else 0
        while self._ends[0][0] <= now - self._policy.window:
            self._failed -= self._ends.popleft()[1]
        calls = len(self._ends)
        often = calls >= self._policy.least and self._failed >= self._policy.ratio * calls
        if failed and (often or self._row >= self._policy.in_a_row):
            self._open(reason)

    def _open(self, reason: str) -> None:
        longest = min(self._policy.longest, self._policy.first * 2.0 ** min(self._times, 30))
        self._until = self._now() + longest * (0.5 + self._chance() / 2)
        self._times, self.reason = self._times + 1, reason
        self._turn(BreakerState.OPEN)

    def _turn(self, state: BreakerState) -> None:
        self._state = state
        self.changes += 1
        self._ends.clear()
        self._failed = self._row = self._probing = self._passed = 0
