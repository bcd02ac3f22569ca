"""The router's mind: (request, profile, now) → what happens on each channel. Pure."""

from collections.abc import Iterator
from datetime import datetime

from streams.policy import policy_of
from streams.quiet import quiet_until
from tocsin.records import Channel, Delivery, NotificationRequest, Outcome, Priority, Profile, State

Decision = Delivery | Outcome
"""A delivery to make (perhaps `not_before` some instant), or how it ended before it began."""


def decide(
    request: NotificationRequest,
    profile: Profile | None,
    accepted_at: datetime,
    now: datetime,
    duplicate: bool = False,
) -> Iterator[Decision]:
    """One decision per channel of the request, its own or its type's.

    Critical messages pass opt-out, muting and quiet hours: they are the log-in code and the
    security warning. Nothing else does. `duplicate` tells that the dedupe key is taken.
    """
    policy = policy_of(request.type)
    category = request.category or policy.category
    expires_at = request.expires_at or (request.send_at or accepted_at) + policy.lifetime
    not_before = _not_before(request, profile, now)
    for channel in dict.fromkeys(request.channels or policy.channels):
        ended = _ended(request, profile, channel, category, expires_at, not_before, now)
        if ended := (State.SUPPRESSED, "duplicate") if duplicate else ended:
            state, reason = ended
            yield early_outcome(request, channel, state, reason, accepted_at, now)
            continue
        yield Delivery(
            notification_id=request.notification_id,
            user_id=request.user_id,
            channel=channel,
            type=request.type,
            category=category,
            template_id=request.template_id or request.type,
            data=request.data,
            accepted_at=accepted_at,
            priority=request.priority,
            expires_at=expires_at,
            collapse_key=request.collapse_key,
            not_before=not_before if not_before > now else None,
        )


def _not_before(request: NotificationRequest, profile: Profile | None, now: datetime) -> datetime:
    at = max(request.send_at or now, now)
    if profile is None or request.priority is Priority.CRITICAL:
        return at
    preferences = profile.preferences
    return quiet_until(preferences.quiet_hours, preferences.timezone, at) or at


def _ended(
    request: NotificationRequest,
    profile: Profile | None,
    channel: Channel,
    category: str,
    expires_at: datetime,
    not_before: datetime,
    now: datetime,
) -> tuple[State, str] | None:
    if profile is None:
        return State.FAILED, "unknown_user"
    if expires_at <= now:
        return State.EXPIRED, "expired_before_routing"
    if expires_at <= not_before:
        return State.EXPIRED, "expires_before_it_may_be_sent"
    preferences = profile.preferences
    if request.priority is not Priority.CRITICAL:
        if preferences.opted_out:
            return State.SUPPRESSED, "opted_out"
        if channel in preferences.muted.get(category, ()):
            return State.SUPPRESSED, "muted"
    if not _reachable(profile, channel):
        return State.SUPPRESSED, "no_address"
    return None


def _reachable(profile: Profile, channel: Channel) -> bool:
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
    state: State,
    reason: str,
    accepted_at: datetime,
    now: datetime,
) -> Outcome:
    """How a delivery ended before anybody was asked to make it."""
    return Outcome(
        delivery_id=f"{request.notification_id}:{channel}",
        notification_id=request.notification_id,
        user_id=request.user_id,
        channel=channel,
        type=request.type,
        state=state,
        attempt=0,
        accepted_at=accepted_at,
        at=now,
        reason=reason,
        template_id=request.template_id or request.type,
    )
