"""One provider as this process finds it: its breaker, and the last minute's calls."""

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

from actors.breaker import BULK, Breaker, Policy
from tocsin.errors import Ambiguous, ProviderDown, SendError
from tocsin.metrics import PROVIDER_SECONDS
from tocsin.spread import Spread
from tocsin.store.provider_states import BreakerState, ProviderState

log = logging.getLogger(__name__)

_SLOT: Final = 5.0
_SLOTS: Final = 12


class _Slot:
    """Five seconds of the last minute."""

    def __init__(self, number: int) -> None:
        self.number, self.failures, self.spread = number, 0, Spread()


class Vitals:
    """Calls are told by `begin` and `end`; a few microseconds each."""

    def __init__(
        self,
        provider: str,
        channel: str,
        since: datetime,
        policy: Policy = BULK,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.provider, self.channel = provider, channel
        self.breaker = Breaker(policy, now)
        self._now, self._seconds = now, PROVIDER_SECONDS.labels(provider)
        self._slots: deque[_Slot] = deque()
        self._state, self._since = BreakerState.CLOSED, since

    def end(self, permit: int, seconds: float, answer: SendError | None, known: bool) -> None:
        """How a call that `breaker.admit` let through ended: `answer` is the provider's refusal, if
        there was one; not `known`: nothing was heard of the provider."""
        self._seconds.observe(seconds)
        failed = is_fault(answer) if known else None
        slot = self._slot()
        slot.spread.add(seconds * 1000)
        slot.failures += bool(failed)
        changes = self.breaker.changes
        self.breaker.ended(permit, failed, answer.reason if answer else "")
        if self.breaker.changes != changes:
            self._say()

    def shown(self, process: str, now: datetime) -> ProviderState:
        """What is published of it."""
        if (state := self.breaker.state) is not self._state:
            self._state, self._since = state, now
        self._slot()
        spread = Spread(pair for slot in self._slots for pair in slot.spread.pairs())
        return ProviderState(
            provider=self.provider,
            process=process,
            channel=self.channel,
            state=state,
            since=self._since,
            at=now,
            reason=self.breaker.reason,
            calls=spread.count,
            failures=sum(slot.failures for slot in self._slots),
            spread=spread.pairs(),
        )

    def _slot(self) -> _Slot:
        """The one of now; those that are over a minute old are forgotten."""
        number = int(self._now() / _SLOT)
        if not self._slots or self._slots[-1].number != number:
            self._slots.append(_Slot(number))
        while self._slots[0].number <= number - _SLOTS:
            self._slots.popleft()
        return self._slots[-1]

    def _say(self) -> None:
        wait = self.breaker.wait()
        if wait is None:
            log.warning("provider %s answers again", self.provider)
        else:
            log.warning(
                "provider %s fails (%s): not asked for %.1f s",
                self.provider, self.breaker.reason, wait,
            )  # fmt: skip


def is_fault(answer: SendError | None) -> bool:
    """Whether an answer is the provider's failure: no connection, a time-out, a lost answer, a 5xx.
    What it says of one address is not, nor that it is asked too often."""
    return isinstance(answer, (ProviderDown, Ambiguous))
