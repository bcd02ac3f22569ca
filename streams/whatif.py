"""What would have become of requests under other rules or preferences. Pure: nothing is sent.

What only people can tell is left open: whether they read a cascade's in-app message in time, and
what else a digest collects. Nothing counts as taken back.
"""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from streams.capping import capped, goes_out, limits
from streams.decide import End, Facts, Look, Send, Wait, decide
from streams.rules import Rules
from tocsin.errors import Invalid
from tocsin.records import (
    CHANNELS,
    Channel,
    Deferred,
    NotificationRequest,
    Preferences,
    Profile,
)
from tocsin.records.codec import as_invalid
from tocsin.store.caps import Count, Limit
from tocsin.templates import Chosen

EVERYBODY: Final = "*"
NOT_ASKED: Final = "not asked"
_LOOKS: Final = 6
"""Looks at one delivery before it is left waiting: send_at, quiet hours and a digest need three."""

_ROOM: Final = 100_000
"""Dedupe keys held before those that are over are looked for."""


class Asked(NamedTuple):
    """A request as it stood in the log. `words` are the channels its template can speak on; `fit`
    says why it would be a dead letter, '' if it would not. `seen_at` is when the router could first
    look at it, if that was later than it was accepted."""

    request: NotificationRequest
    accepted_at: datetime
    profile: Profile | None
    template_id: str
    template_version: int
    words: Container[Channel] = CHANNELS
    fit: str = ""
    seen_at: datetime | None = None


class Changed(NamedTuple):
    """A delivery that would end otherwise; `trace` is of the last look under the changed rules."""

    notification_id: str
    user_id: str
    type: str
    channel: str
    before: str
    after: str
    trace: str


class Difference(NamedTuple):
    """`moves` counts (type, channel, before, after), also where nothing changes."""

    requests: int
    moves: Counter[tuple[str, str, str, str]]
    changed: list[Changed]


Patch = Mapping[str, Mapping[str, Any]]
"""User id, or EVERYBODY, to a JSON merge patch of their preferences."""


def patched(profile: Profile | None, patch: Patch) -> Profile | None:
    """The person with changed preferences: everybody's change first, then their own. Raises
    `Invalid` for a patch that makes none."""
    if profile is None:
        return None
    changes = [patch[who] for who in (EVERYBODY, profile.user_id) if patch.get(who)]
    if not changes:
        return profile
    wanted: Any = msgspec.to_builtins(profile.preferences)
    for change in changes:
        wanted = _merge(wanted, change)
    try:
        preferences = msgspec.convert(wanted, Preferences)
    except msgspec.ValidationError as error:
        found = as_invalid(error)
        raise Invalid(f"{profile.user_id}.{found.field}", found.reason) from None
    return msgspec.structs.replace(profile, preferences=preferences)


def _merge(under: Any, over: Any) -> Any:
    """RFC 7396: null takes away."""
    if not isinstance(over, Mapping):
        return over
    found = dict(under) if isinstance(under, Mapping) else {}
    for name, value in over.items():
        found[name] = _merge(found.get(name), value)
    return {name: value for name, value in found.items() if value is not None}


def compare(
    asked: Iterable[Asked], now: Rules, then: Rules, patch: Patch, examples: int = 100
) -> Difference:
    """Judge every request twice, in the order given: that of their acceptance."""
    judging = Compare(now, then, patch, examples)
    for each in asked:
        judging.add(each)
    return judging.difference


class Compare:
    """`compare`, a request at a time. Memory grows with people, dedupe keys within their window and
    moves, not with requests."""

    def __init__(
        self,
        now: Rules,
        then: Rules,
        patch: Patch,
        examples: int = 100,
        dedupe: timedelta = timedelta(hours=24),
    ) -> None:
        """At most `examples` of what changes are kept; `dedupe` is how long a dedupe key holds."""
        self._before, self._after = World(now, dedupe), World(then, dedupe)
        self._patch, self._examples = patch, examples
        self.difference = Difference(0, Counter(), [])

    def add(self, asked: Asked) -> None:
        """The next request. Raises `Invalid` for a patch that makes no preferences."""
        found, request = self.difference, asked.request
        self.difference = found._replace(requests=found.requests + 1)
        other = asked._replace(profile=patched(asked.profile, self._patch))
        was, would = self._before.judge(asked), self._after.judge(other)
        for channel in dict.fromkeys([*was, *would]):
            old, _ = was.get(channel, (NOT_ASKED, ""))
            new, trace = would.get(channel, (NOT_ASKED, ""))
            found.moves[request.type, channel, old, new] += 1
            if old != new and len(found.changed) < self._examples:
                name = request.notification_id
                found.changed.append(
                    Changed(name, request.user_id, request.type, channel, old, new, trace)
                )


class World:
    """One set of rules, and what it remembers: caps and dedupe keys, as the store would.

    What waits is followed to its end at once. So where a cap is short, it comes before requests
    that were accepted while it waited, though not before its hour.
    """

    def __init__(self, rules: Rules, dedupe: timedelta) -> None:
        self._rules, self._dedupe = rules, dedupe
        self._told: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
        self._held: dict[tuple[str, ...], datetime] = {}
        self._room = _ROOM

    def judge(self, asked: Asked) -> dict[str, tuple[str, str]]:
        """Channel to (how it ends, trace of the look that decided)."""
        request = asked.request
        if asked.fit:
            channels = request.channels or self._rules.of(request.type).channels
            return {str(channel): (f"dead letter: {asked.fit}", "") for channel in channels}
        now = asked.seen_at or asked.accepted_at
        facts = Facts(
            asked.accepted_at, now, asked.template_id, asked.template_version,
            asked.words, self._duplicate(request, now),
        )  # fmt: skip
        return dict(self._followed(request, asked.profile, facts, _LOOKS))

    def _followed(
        self, request: NotificationRequest, profile: Profile | None, facts: Facts, left: int
    ) -> Iterator[tuple[str, tuple[str, str]]]:
        for look in self._looks(request, profile, facts):
            match look:
                case Send(delivery, trace):
                    unless = f" unless {delivery.unless}" if delivery.unless else ""
                    yield delivery.channel, (f"sent{unless}", trace)
                case End(outcome):
                    reason = outcome.reason.partition(":")[0]
                    yield outcome.channel, (f"{outcome.state}: {reason}", outcome.trace)
                case Wait(deferred, trace) if _is_open(deferred, left):
                    how = "unless read" if deferred.unless else deferred.why
                    for channel in deferred.channels:
                        yield channel, (f"later: {how}", trace)
                case Wait(deferred, _):
                    later = facts._replace(now=deferred.due_at, woken=deferred, duplicate=False)
                    then = self._followed(deferred.request, profile, later, left - 1)
                    for name, (end, trace) in then:
                        yield name, (f"{end}, after {deferred.why}", trace)

    def _looks(
        self, request: NotificationRequest, profile: Profile | None, facts: Facts
    ) -> Sequence[Look]:
        looks = decide(request, profile, facts, self._rules)
        limit = limits(request, self._rules)
        if limit and goes_out(looks):
            return capped(request, looks, facts, self._count(request, limit, facts), limit[0])
        return looks

    def _duplicate(self, request: NotificationRequest, at: datetime) -> bool:
        """As store/notifications.py: each key is for whoever comes first, whatever became of it."""
        span, place = self._rules.of(request.type).dedupe, (request.user_id, request.type)
        taken = False
        if request.dedupe_key:
            taken = self._hold((*place, request.dedupe_key), at, self._dedupe)
        if request.collapse_key and span is not None:
            taken |= self._hold((*place, "collapse", request.collapse_key), at, span)
        return taken

    def _hold(self, key: tuple[str, ...], at: datetime, span: timedelta) -> bool:
        """Whether another one holds it; if not, this one does."""
        until = self._held.get(key)
        if until is not None and at < until:
            return True
        if len(self._held) >= self._room:
            self._held = {name: end for name, end in self._held.items() if at < end}
            self._room = max(_ROOM, 2 * len(self._held))
        self._held[key] = at + span
        return False

    def _count(self, request: NotificationRequest, wanted: Sequence[Limit], facts: Facts) -> Count:
        """As lua/cap_take.lua counts."""
        name, at = request.notification_id, facts.now
        lists = [self._told[request.user_id, limit.name] for limit in wanted]
        counts = []
        for limit, told in zip(wanted, lists, strict=True):
            span = timedelta(milliseconds=limit.per_ms)
            while told and told[0][0] <= facts.accepted_at - span:
                del told[0]
            inside = [who for when, who in told if at - span < when <= at]
            if name not in inside and len(inside) >= limit.most:
                return Count(limit.name, len(inside))
            counts.append(len(inside) + (name not in inside))
        for told in lists:
            if all(who != name for _, who in told):
                insort(told, (at, name))
        return Count("", counts[0])


def _is_open(deferred: Deferred, left: int) -> bool:
    """Whether the log alone cannot tell how it goes on."""
    return deferred.unless is not None or deferred.why == "digest" or not left


def asked_of(
    request: NotificationRequest,
    accepted_at: datetime,
    profile: Profile | None,
    chosen: Chosen | Invalid,
    words: Container[Channel] = CHANNELS,
    seen_at: datetime | None = None,
) -> Asked:
    """One request with the words it gets, which speak on `words`; or why it gets none."""
    if isinstance(chosen, Invalid):
        return Asked(request, accepted_at, profile, request.type, 0, (), str(chosen), seen_at)
    return Asked(request, accepted_at, profile, *chosen, words, "", seen_at)
