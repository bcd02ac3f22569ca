"""Faults on demand: what a provider should do wrong, how often, and for how long."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from loadtest.sandbox.verdict import Provider
from tocsin.errors import Invalid

Share = Annotated[float, Meta(ge=0, le=1)]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault of one provider.

    `status` answers with that error (`reason` overrides the provider's own word for it) and nothing
    is journalled. `reset_after_accept` journals the message, then cuts the connection unanswered.
    `latency_ms` delays the answer, whatever it is; an accepted message is journalled before the
    wait. `retry_after` is sent as it is, so that a date or nonsense can be tried.
    """

    provider: Provider
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    reason: Annotated[str, Meta(max_length=100)] | None = None
    retry_after: int | float | str | None = None
    latency_ms: Annotated[float, Meta(ge=0, le=600_000)] = 0
    rate: Share = 1.0
    reset_after_accept: bool = False
    for_s: Annotated[float, Meta(gt=0)] | None = None

    def checked(self) -> "Fault":
        """Itself. Raises `Invalid` for a fault that does nothing or two things at once."""
        if self.status is None and not self.latency_ms and not self.reset_after_accept:
            raise Invalid("status", "one of status, latency_ms and reset_after_accept is needed")
        if self.status is not None and self.reset_after_accept:
            raise Invalid("reset_after_accept", "cannot stand beside status: it accepts first")
        for name, value in (("retry_after", self.retry_after), ("reason", self.reason)):
            if isinstance(value, str) and not (value.isascii() and value.isprintable()):
                raise Invalid(name, "must be printable ASCII: it becomes part of the answer")
        return self

    @property
    def delay(self) -> float:
        """Seconds to wait before the answer."""
        return self.latency_ms / 1000


class FaultBoard:
    """The faults in force, one per provider. Time and chance come in as arguments."""

    def __init__(self) -> None:
        self._faults: dict[str, tuple[Fault, float]] = {}
        self._hits: dict[str, int] = {}

    def put(self, fault: Fault, now: float) -> None:
        """Replace the provider's fault. `now` is Unix seconds."""
        until = now + fault.for_s if fault.for_s is not None else float("inf")
        self._faults[fault.provider] = (fault, until)
        self._hits[fault.provider] = 0

    def clear(self, provider: Provider | None = None) -> None:
        """End one provider's fault, or all."""
        for name in [provider] if provider else list(self._faults):
            self._faults.pop(name, None)

    def draw(self, provider: Provider, now: float, chance: float) -> Fault | None:
        """The fault that hits this request, if one does; `chance` is uniform in [0, 1)."""
        if not self._faults or provider not in self._faults:
            return None
        fault, until = self._faults[provider]
        if now >= until:
            del self._faults[provider]
            return None
        if chance >= fault.rate:
            return None
        self._hits[provider] += 1
        return fault

    def listed(self, now: float) -> list[dict[str, Any]]:
        """Those in force, with the requests they hit and the seconds they still last."""
        return [
            msgspec.to_builtins(fault)
            | {"hits": self._hits[name], "left_s": None if fault.for_s is None else until - now}
            for name, (fault, until) in self._faults.items()
            if now < until
        ]
