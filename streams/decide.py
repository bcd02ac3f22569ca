"""The router's mind: (request, person, facts, rules) → what happens on each channel, and why.

Pure. Every look says how it came about: its trace is ``step=result;step=result`` in their order.
"""

from collections.abc import Container, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from msgspec.structs import replace

from streams.digest import digest_due
from streams.rules import DigestRule, Rules, TypeRule
from tocsin.quiet import quiet_until
from tocsin.records import (
    CHANNELS,
    Channel,
    Condition,
    Deferred,
    Delivery,
    NotificationRequest,
    Outcome,
    Priority,
    Profile,
    State,
    Strategy,
    is_compulsory,
    lane_of,
    schedule_id,
)
from tocsin.records.deferred import Why


class Facts(NamedTuple):
    """What was found out about a request. `duplicate`: its dedupe key is taken. `happened`: what
    its wait was conditional on. `woken`: what it is looked at again for. `words`: the channels its
    template can speak on."""

    accepted_at: datetime
    now: datetime
    template_id: str
    template_version: int = 0
    words: Container[Channel] = CHANNELS
    duplicate: bool = False
    cancelled: bool = False
    woken: Deferred | None = None
    happened: bool = False


class Send(NamedTuple):
    """A delivery to make; with `not_before` and `unless` it is a cascade's next step."""

    delivery: Delivery
    trace: str


class End(NamedTuple):
    """How a delivery ended before anybody was asked to make it."""

    outcome: Outcome


class Wait(NamedTuple):
    """To be looked at again at `deferred.due_at`."""

    deferred: Deferred
    trace: str


Look = Send | End | Wait


def decide(
    request: NotificationRequest, profile: Profile | None, facts: Facts, rules: Rules
) -> list[Look]:
    """One look per channel (several channels may share a `Wait`): the request's, or its type's.

    Critical messages pass quiet hours; those of category security also opt-out and muting: they are
    the log-in code and the security warning. Caps come after (capping.py): they need a count.
    """
    return _Case(request, profile, facts, rules).looks()


class _Case:
    """One request under judgement."""

    def __init__(
        self, request: NotificationRequest, profile: Profile | None, facts: Facts, rules: Rules
    ) -> None:
        self._request, self._profile, self._facts, self._rules = request, profile, facts, rules
        self._rule: TypeRule = rules.of(request.type)
        self._category = request.category or self._rule.category
        self._critical = request.priority is Priority.CRITICAL
        began = request.send_at or facts.accepted_at
        self._expires_at = request.expires_at or began + self._rule.lifetime
        self._trace = _opening(rules.fingerprint, self._category, request.priority)

    def looks(self) -> list[Look]:
        channels = self._channels()
        if ended := self._ended_as_a_whole():
            return [self._end(channel, *ended, self._trace) for channel in channels]
        if due := self._send_at():
            return self._wait(channels, due, "send_at", f"{self._trace};send_at=ahead")
        found: list[Look] = []
        candidates = []
        for channel in channels:
            if refused := self._refused(channel):
                step, reason = refused
                trace = f"{self._trace};{step}={quote(reason)}"
                found.append(self._end(channel, State.SUPPRESSED, reason, trace))
            else:
                candidates.append(channel)
        if candidates:
            self._trace += ";opt_out=no;muted=no;address=yes"
            found += self._timed(candidates)
        return found

    def _channels(self) -> list[Channel]:
        if self._facts.woken:
            return list(self._facts.woken.channels)
        return list(dict.fromkeys(self._request.channels or self._rule.channels))

    def _ended_as_a_whole(self) -> tuple[State, str] | None:
        facts = self._facts
        if facts.cancelled:
            self._trace += ";cancelled=yes"
            return State.CANCELLED, "cancelled"
        if facts.duplicate:
            self._trace += ";dedupe=duplicate"
            return State.SUPPRESSED, "duplicate"
        if self._profile is None:
            self._trace += ";user=unknown"
            return State.FAILED, "unknown_user"
        if self._expires_at <= facts.now:
            self._trace += ";expiry=over"
            return State.EXPIRED, "expired_before_routing"
        if facts.happened and facts.woken and facts.woken.unless:
            self._trace += f";unless={facts.woken.unless}:happened"
            return State.CANCELLED, facts.woken.unless.value
        if facts.woken:
            self._trace += f";woken={facts.woken.why}"
        return None

    def _send_at(self) -> datetime | None:
        at = self._request.send_at
        return at if at is not None and at > self._facts.now else None

    def _refused(self, channel: Channel) -> tuple[str, str] | None:
        """The step that refuses a channel, and the reason."""
        profile = self._profile
        assert profile is not None  # else it ended as a whole
        if not is_compulsory(self._request.priority, self._category):
            if profile.preferences.opted_out:
                return "opt_out", "opted_out"
            if channel in profile.preferences.muted.get(self._category, ()):
                return "muted", "muted"
        if not reachable(profile, channel):
            return "address", "no_address"
        if channel not in self._facts.words:
            return "words", "no_words"
        return None

    def _timed(self, channels: list[Channel]) -> list[Look]:
        """Quiet hours for all at once, then digests, then the strategy."""
        if until := self._quiet():
            return self._wait(channels, until, "quiet_hours", f"{self._trace};quiet=yes")
        self._trace += ";quiet=passed" if self._critical else ";quiet=no"
        rule = self._digest()
        return self._collected(channels, rule) if rule else self._chosen(channels)

    def _collected(self, channels: list[Channel], rule: DigestRule) -> list[Look]:
        assert self._profile is not None
        due = digest_due(rule, self._profile.preferences.timezone, self._facts.now)
        found: list[Look] = []
        for channel in channels:
            if channel in rule.channels:
                found += self._wait([channel], due, "digest", f"{self._trace};digest=collected")
        if now := [channel for channel in channels if channel not in rule.channels]:
            found += self._chosen(now)
        return found

    def _quiet(self) -> datetime | None:
        """When quiet hours end. A collected one goes into its digest, which asks again itself."""
        if self._critical or (self._facts.woken and self._facts.woken.digest):
            return None
        assert self._profile is not None
        preferences = self._profile.preferences
        return quiet_until(preferences.quiet_hours, preferences.timezone, self._facts.now)

    def _digest(self) -> DigestRule | None:
        urgent = self._request.priority in (Priority.CRITICAL, Priority.HIGH)
        return None if urgent or self._decided_before() else self._rule.digest

    def _decided_before(self) -> bool:
        """Whether digest and strategy have been applied: what is left is one step of it."""
        woken = self._facts.woken
        return woken is not None and (woken.unless is not None or bool(woken.digest))

    def _chosen(self, channels: list[Channel]) -> list[Look]:
        strategy = self._request.strategy or self._rule.strategy
        if self._decided_before():
            strategy = Strategy.ALL
        match strategy:
            case Strategy.ALL:
                trace = f"{self._trace};strategy=all"
                return [self._send(channel, trace) for channel in channels]
            case Strategy.FIRST:
                return self._first(channels, f"{self._trace};strategy=first")
            case Strategy.CASCADE:
                return self._cascade(channels)

    def _first(self, channels: list[Channel], trace: str) -> list[Look]:
        reason = f"first:{channels[0]}"
        ends = [self._end(other, State.SUPPRESSED, reason, trace) for other in channels[1:]]
        return [self._send(channels[0], trace), *ends]

    def _cascade(self, channels: list[Channel]) -> list[Look]:
        """In-app at once; push unless a device acknowledges; the others unless it is read. Without
        in-app nobody can see it there, so the first channel is all there is."""
        trace = f"{self._trace};strategy=cascade"
        if Channel.INAPP not in channels:
            return self._first(channels, trace)
        found: list[Look] = [self._send(Channel.INAPP, trace)]
        spans, now = self._rules.cascade, self._facts.now
        for channel in channels:
            if channel is Channel.PUSH:
                found.append(self._send(channel, trace, now + spans.ack, Condition.ACKED))
            elif channel is not Channel.INAPP:
                due = now + spans.unread
                found += self._wait([channel], due, "escalation", trace, Condition.READ)
        return found

    def _send(
        self,
        channel: Channel,
        trace: str,
        not_before: datetime | None = None,
        unless: Condition | None = None,
    ) -> Send:
        request, facts = self._request, self._facts
        assert self._profile is not None
        delivery = Delivery(
            notification_id=request.notification_id,
            user_id=request.user_id,
            channel=channel,
            type=request.type,
            category=self._category,
            template_id=facts.template_id,
            template_version=facts.template_version,
            locale=self._profile.locale,
            data=request.data,
            accepted_at=facts.accepted_at,
            priority=request.priority,
            expires_at=self._expires_at,
            ends_at=request.expires_at,
            collapse_key=request.collapse_key,
            not_before=not_before,
            unless=unless,
            broadcast_id=request.broadcast_id,
        )
        return Send(delivery, f"{trace};unless={unless}" if unless else trace)

    def _wait(
        self,
        channels: Sequence[Channel],
        due: datetime,
        why: Why,
        trace: str,
        unless: Condition | None = None,
    ) -> list[Look]:
        """One wait for all of them; or, when they would be over by then, their ends."""
        if unless is None and self._facts.woken:
            unless = self._facts.woken.unless
        if self._expires_at <= due:
            reason, over = "expires_before_it_may_be_sent", f"{trace};expiry=before_{why}"
            return [self._end(channel, State.EXPIRED, reason, over) for channel in channels]
        kept = tuple(channels)
        deferred = Deferred(
            schedule_id=schedule_id(self._request.notification_id, kept),
            request=_pinned(self._request, self._facts),
            channels=kept,
            accepted_at=self._facts.accepted_at,
            due_at=due,
            why=why,
            category=self._category,
            unless=unless,
        )
        return [Wait(deferred, trace)]

    def _end(self, channel: Channel, state: State, reason: str, trace: str) -> End:
        return End(early_outcome(self._request, channel, self._facts, state, reason, trace))


@lru_cache(maxsize=1024)
def _opening(fingerprint: str, category: str, priority: Priority) -> str:
    """How a trace begins."""
    return f"rules={fingerprint};category={category};lane={lane_of(priority)}"


def _pinned(request: NotificationRequest, facts: Facts) -> NotificationRequest:
    """With the words it was found fit for: what is published meanwhile cannot make it wrong."""
    if (request.template_id, request.template_version) == (
        facts.template_id,
        facts.template_version,
    ):
        return request
    return replace(request, template_id=facts.template_id, template_version=facts.template_version)


def reachable(profile: Profile, channel: Channel) -> bool:
    """Whether the person has an address on the channel."""
    match channel:
        case Channel.EMAIL:
            return profile.email is not None
        case Channel.SMS:
            return profile.phone is not None
        case Channel.PUSH:
            return bool(profile.devices)
        case Channel.INAPP:
            return True


def early_outcome(
    request: NotificationRequest,
    channel: Channel,
    facts: Facts,
    state: State,
    reason: str = "",
    trace: str = "",
) -> Outcome:
    """What is said of a delivery before any sender has had it: opened, waiting, or how it ended."""
    return Outcome(
        delivery_id=f"{request.notification_id}:{channel}",
        notification_id=request.notification_id,
        user_id=request.user_id,
        channel=channel,
        type=request.type,
        state=state,
        attempt=0,
        accepted_at=facts.accepted_at,
        at=facts.now,
        reason=reason,
        template_id=facts.template_id,
        template_version=facts.template_version,
        trace=trace,
    )
