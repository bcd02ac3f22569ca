"""Frequency caps, around the count that the store makes of them. Pure."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from streams.decide import End, Facts, Look, Send, Wait, early_outcome
from streams.rules import Rules
from tocsin.records import Channel, NotificationRequest, Priority, State
from tocsin.store.caps import Count, Limit


def limits(request: NotificationRequest, rules: Rules) -> list[Limit]:
    """The caps that a notification of this type and category counts against."""
    if request.priority is Priority.CRITICAL:
        return []
    category = request.category or rules.of(request.type).category
    return [
        Limit(name, cap.most, cap.per // timedelta(milliseconds=1))
        for name, cap in rules.caps(category)
    ]


def goes_out(looks: Sequence[Look]) -> bool:
    """Whether anything of it is sent now, and so counts."""
    return any(isinstance(look, Send) for look in looks)


def capped(
    request: NotificationRequest, looks: Sequence[Look], facts: Facts, count: Count, limit: Limit
) -> list[Look]:
    """The looks after counting. A reached cap ends what would go out now, and its escalations."""
    return [after for look in looks for after in _after(request, look, facts, count, limit)]


def _after(
    request: NotificationRequest, look: Look, facts: Facts, count: Count, limit: Limit
) -> Iterator[Look]:
    trace = "" if isinstance(look, End) else look.trace
    channels: tuple[Channel, ...] = ()
    match look:
        case Send(delivery):
            channels = (delivery.channel,)
        case Wait(deferred) if deferred.why == "escalation":
            channels = deferred.channels
    if not count.refused:
        counted = f"{trace};cap={limit.name}:{count.counted}/{limit.most}"
        yield look._replace(trace=counted) if isinstance(look, Send) else look
    elif not channels:
        yield look
    for channel in channels if count.refused else ():
        reason, reached = f"capped:{count.refused}", f"{trace};cap={count.refused}:reached"
        yield End(early_outcome(request, channel, facts, State.SUPPRESSED, reason, reached))
