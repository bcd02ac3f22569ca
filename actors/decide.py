"""The senders' mind. Pure: (delivery, profile, now) → where it goes or why it does not; the answers
of the providers → one result."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from msgspec.structs import replace

from actors.message import Sent
from tocsin.errors import Ambiguous, Permanent, SendError, Transient
from tocsin.quiet import quiet_until
from tocsin.records import Channel, Delivery, Priority, Profile, State, is_compulsory
from tocsin.store import SendResult

AMBIGUOUS_WAIT: Final = 1.0

_PREFIX_DIGITS: Final = 5
"""Of a phone number: the country and about the carrier, shared by at least ten thousand people."""


class Address(NamedTuple):
    """Where one message goes. `kind` chooses the provider: ios, android, web, sms or email; `key`
    is the device's id, empty for a phone or a mailbox."""

    kind: str
    value: str
    key: str = ""

    @property
    def destination(self) -> str:
        """What may be told of it: a number's first digits, a mailbox's domain, or the platform."""
        match self.kind:
            case "sms":
                return self.value[: 1 + _PREFIX_DIGITS]
            case "email":
                return self.value.rpartition("@")[2].lower()
        return self.kind


class Overdue(Permanent):
    """It expired while it waited its turn."""


def refusal(delivery: Delivery, profile: Profile | None, now: datetime) -> SendResult | None:
    """Why a delivery is not to be made, or not now; None: make it. Critical ones pass quiet
    hours, and of category security an opt-out, too."""
    if delivery.expires_at is not None and delivery.expires_at <= now:
        return SendResult(delivery.delivery_id, State.EXPIRED, "expired")
    if profile is None:
        return SendResult(delivery.delivery_id, State.SUPPRESSED, "unknown_user")
    if not is_compulsory(delivery.priority, delivery.category):
        preferences = profile.preferences
        if preferences.opted_out:
            return SendResult(delivery.delivery_id, State.SUPPRESSED, "opted_out")
        if delivery.channel in preferences.muted.get(delivery.category, ()):
            return SendResult(delivery.delivery_id, State.SUPPRESSED, "muted")
    return None if delivery.priority is Priority.CRITICAL else _quiet(delivery, profile, now)


def _quiet(delivery: Delivery, profile: Profile, now: datetime) -> SendResult | None:
    """It was routed before the person's quiet hours began, or retried into them: not now."""
    preferences = profile.preferences
    until = quiet_until(preferences.quiet_hours, preferences.timezone, now)
    if until is None:
        return None
    if delivery.expires_at is not None and delivery.expires_at <= until:
        reason = "expires_before_it_may_be_sent"
        return SendResult(delivery.delivery_id, State.EXPIRED, reason)
    wait = (until - now).total_seconds()
    return SendResult(delivery.delivery_id, State.DEFERRED, "quiet_hours", retry_after=wait)


def addresses(profile: Profile, channel: Channel) -> list[Address]:
    """All of a person's addresses on a channel: every device, or the one phone or mailbox."""
    match channel:
        case Channel.PUSH:
            return [Address(d.platform, d.token, key) for key, d in profile.devices.items()]
        case Channel.SMS:
            return [Address("sms", profile.phone)] if profile.phone else []
        case Channel.EMAIL:
            return [Address("email", profile.email)] if profile.email else []
        case Channel.INAPP:
            return []


def destination(to: Sequence[Address], answers: Sequence[Sent | SendError]) -> str:
    """Where it went: to the first address that took it, or was tried."""
    took = (i for i, answer in enumerate(answers) if isinstance(answer, Sent))
    return to[next(took, 0)].destination


def may_repeat(delivery: Delivery) -> bool:
    """Whether a send whose answer was lost is made again: rather twice than never for what a
    person waits for, rather never than twice for promotion."""
    if delivery.priority in (Priority.CRITICAL, Priority.HIGH):
        return True
    return delivery.priority is not Priority.LOW and delivery.category != "promotional"


def concluded(
    delivery: Delivery, answers: Sequence[Sent | SendError], ambiguous: bool = False
) -> SendResult:
    """One result of the answers of all its addresses (at least one).

    Delivered when any took it; else the most hopeful of what the others said. `ambiguous` tells
    that an earlier send of it may have arrived.
    """
    ambiguous = ambiguous or any(isinstance(answer, Ambiguous) for answer in answers)
    return replace(_concluded(delivery, answers), ambiguous=ambiguous)


def _concluded(delivery: Delivery, answers: Sequence[Sent | SendError]) -> SendResult:
    name = delivery.delivery_id
    errors = []
    for answer in answers:
        if isinstance(answer, Sent):
            return SendResult(
                name, State.DELIVERED, "", answer.provider, answer.provider_message_id
            )
        errors.append(answer)
    if lost := next((e for e in errors if isinstance(e, Ambiguous)), None):
        if not may_repeat(delivery):
            return unrepeated(name, lost.provider)
        reason = f"ambiguous: {lost.reason}"
        return SendResult(name, State.RETRY, reason, lost.provider, retry_after=AMBIGUOUS_WAIT)
    if again := [e for e in errors if isinstance(e, Transient)]:
        waits = [e.retry_after for e in again if e.retry_after is not None]
        wait = min(waits, default=None)
        return SendResult(name, State.RETRY, again[0].reason, again[0].provider, retry_after=wait)
    state = State.EXPIRED if isinstance(errors[0], Overdue) else State.FAILED
    return SendResult(name, state, errors[0].reason, errors[0].provider)


def unrepeated(delivery_id: str, provider: str = "") -> SendResult:
    """The end of a delivery that may have arrived and is not to be sent again."""
    return SendResult(delivery_id, State.FAILED, "ambiguous", provider, ambiguous=True)
