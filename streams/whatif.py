"""What would have become of requests under other rules or preferences. Pure: nothing is sent."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from streams.capping import capped, goes_out, limits
from streams.decide import End, Facts, Look, Send, Wait, decide
from streams.rules import Rules
from tocsin.errors import Invalid
from tocsin.records import Deferred, NotificationRequest, Preferences, Profile
from tocsin.records.codec import as_invalid
from tocsin.store.caps import Count, Limit

EVERYBODY: Final = "*"
_LOOKS: Final = 6
"""Looks at one delivery before it is left waiting: send_at, quiet hours and a digest need three."""


class Asked(NamedTuple):
    """A request as it stood in the log. `fit` says why it would be a dead letter, '' if it would
    not."""

    request: NotificationRequest
    accepted_at: datetime
    profile: Profile | None
    template_id: str
    template_version: int
    fit: str = ""


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
    """The person with changed preferences. Raises `Invalid` for a patch that makes none."""
    if profile is None:
        return None
    changes = {**patch.get(EVERYBODY, {}), **patch.get(profile.user_id, {})}
    if not changes:
        return profile
    wanted = msgspec.to_builtins(profile.preferences) | changes
    try:
        preferences = msgspec.convert(
            {name: value for name, value in wanted.items() if value is not None}, Preferences
        )
    except msgspec.ValidationError as error:
        found = as_invalid(error)
        raise Invalid(f"{profile.user_id}.{found.field}", found.reason) from None
    return msgspec.structs.replace(profile, preferences=preferences)


def compare(
    asked: Iterable[Asked], now: Rules, then: Rules, patch: Patch, examples: int = 100
) -> Difference:
    """Judge every request twice, in the order of the log. Memory grows with people and moves, not
    with requests."""
    before, after = World(now), World(then)
    moves: Counter[tuple[str, str, str, str]] = Counter()
    changed: list[Changed] = []
    requests = 0
    for each in asked:
        requests += 1
        other = each._replace(profile=patched(each.profile, patch))
        was, would = before.judge(each), after.judge(other)
        for channel in dict.fromkeys([*was, *would]):
            old, _ = was.get(channel, ("not asked", ""))
            new, trace = would.get(channel, ("not asked", ""))
            request = each.request
            moves[request.type, channel, old, new] += 1
            if old != new and len(changed) < examples:
                changed.append(
                    Changed(
                        request.notification_id, request.user_id, request.type, channel, old, new,
                        trace,
                    )
                )  # fmt: skip
    return Difference(requests, moves, changed)


class World:
    """One set of rules, and what it remembers: caps and collapse windows, as the store would."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._told: dict[tuple[str, str], deque[tuple[datetime, str]]] = defaultdict(deque)
        self._held: dict[tuple[str, str, str], datetime] = {}

    def judge(self, asked: Asked) -> dict[str, tuple[str, str]]:
        """Channel to (how it ends, trace of the look that decided)."""
        request = asked.request
        if asked.fit:
            channels = request.channels or self._rules.of(request.type).channels
            return {str(channel): (f"dead letter: {asked.fit}", "") for channel in channels}
        facts = Facts(
            asked.accepted_at, asked.accepted_at, asked.template_id, asked.template_version,
            duplicate=self._duplicate(request, asked.accepted_at),
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
            return capped(request, looks, facts, self._count(request, limit, facts.now), limit[0])
        return looks

    def _duplicate(self, request: NotificationRequest, at: datetime) -> bool:
        span = self._rules.of(request.type).dedupe
        if not request.collapse_key or span is None:
            return False
        place = (request.user_id, request.type, request.collapse_key)
        held = self._held.get(place)
        if held is not None and at < held:
            return True
        self._held[place] = at + span
        return False

    def _count(self, request: NotificationRequest, wanted: Sequence[Limit], at: datetime) -> Count:
        """As lua/cap_take.lua counts."""
        windows = [self._window(request.user_id, limit, at) for limit in wanted]
        for limit, told in zip(wanted, windows, strict=True):
            known = any(name == request.notification_id for _, name in told)
            if not known and len(told) >= limit.most:
                return Count(limit.name, len(told))
        for told in windows:
            if all(name != request.notification_id for _, name in told):
                told.append((at, request.notification_id))
        return Count("", len(windows[0]))

    def _window(self, user_id: str, limit: Limit, at: datetime) -> deque[tuple[datetime, str]]:
        told = self._told[user_id, limit.name]
        while told and told[0][0] <= at - timedelta(milliseconds=limit.per_ms):
            told.popleft()
        return told


def _is_open(deferred: Deferred, left: int) -> bool:
    """Whether the log alone cannot tell how it goes on."""
    return deferred.unless is not None or deferred.why == "digest" or not left


Words = Callable[[NotificationRequest], tuple[str, int]]
"""Template id and version of a request. Raises `Invalid` for one that would be a dead letter."""


def asked_of(
    request: NotificationRequest, accepted_at: datetime, profile: Profile | None, words: Words
) -> Asked:
    """One request with its words."""
    try:
        template_id, version = words(request)
    except Invalid as error:
        return Asked(request, accepted_at, profile, request.type, 0, str(error))
    return Asked(request, accepted_at, profile, template_id, version)
