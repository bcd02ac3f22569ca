"""Who is in a segment. Pure."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tocsin.records import Match, Profile
from tocsin.records.profile import Attribute

_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def within(profile: Profile, segment: Sequence[Match]) -> bool:
    """Whether a person passes every match; an empty segment is everybody."""
    return all(_passes(profile.attributes.get(match.attribute), match) for match in segment)


def _passes(has: Attribute | None, match: Match) -> bool:
    """`has` is None where the person lacks the attribute."""
    wanted = match.value
    match match.op:
        case "present" | "absent":
            return (has is not None) == (match.op == "present")
        case "eq" | "ne":
            return _same(has, wanted) == (match.op == "eq")
        case "in":
            return isinstance(wanted, tuple) and any(_same(has, each) for each in wanted)
    return _alike(has, wanted) and _ORDERS[match.op](has, wanted)


def _same(has: object, wanted: object) -> bool:
    return has == wanted and _alike(has, wanted)


def _alike(has: object, wanted: object) -> bool:
    """Both text, both true or false, or both numbers: to Python True is 1, to a shop it is not."""
    return _kind(has) is _kind(wanted)


def _kind(value: object) -> type:
    return float if type(value) is int else type(value)
