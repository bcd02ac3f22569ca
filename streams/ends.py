"""How the deliveries of one batch ended, told to the metrics at once."""

from collections import Counter, defaultdict
from typing import Final

from tocsin.metrics import DELIVERY_SECONDS, OUTCOMES, PROVIDER_RESULTS
from tocsin.records import Outcome
from tocsin.store import SendResult

OTP: Final = "otp"
"""The lane of one-time codes, which are no one's bulk."""


class Ends:
    """Collects; `tell` is for when all of it is durable. Well below a microsecond per delivery:
    what the metrics' locks cost is paid per batch."""

    def __init__(self) -> None:
        self._states: Counter[tuple[str, str]] = Counter()
        self._answers: Counter[tuple[str, str]] = Counter()
        self._lives: dict[tuple[str, str], list[float]] = defaultdict(list)

    def answered(self, result: SendResult) -> None:
        """What came of an attempt, if a provider had a part in it."""
        if result.provider:
            self._answers[result.provider, result.state] += 1

    def early(self, outcome: Outcome) -> None:
        """One that ended before it was given to a sender."""
        self._states[outcome.channel, outcome.state] += 1

    def ended(self, outcome: Outcome, lane: str) -> None:
        """One that a sender has ended."""
        self._states[outcome.channel, outcome.state] += 1
        life = (outcome.at - outcome.accepted_at).total_seconds()
        self._lives[outcome.channel, lane].append(life)

    def tell(self) -> None:
        """Add it all to the process's metrics."""
        for labels, count in self._states.items():
            OUTCOMES.labels(*labels).inc(count)
        for labels, count in self._answers.items():
            PROVIDER_RESULTS.labels(*labels).inc(count)
        for labels, lives in self._lives.items():
            DELIVERY_SECONDS.labels(*labels).observe_all(lives)
