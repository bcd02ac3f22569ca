"""What a PATCH makes of a person. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import UNSET
from msgspec.structs import asdict, replace

from api.bodies import UserChange
from tocsin.errors import Invalid
from tocsin.records import Profile
from tocsin.records.profile import Attribute

MOST_TOPICS: Final = 100
MOST_ATTRIBUTES: Final = 50
"""What a profile holds (tocsin/records/profile.py): more, and it could not be read again."""


def changed(profile: Profile, change: UserChange) -> Profile:
    """The profile after a merge patch; the very same object when that changes nothing.

    Attributes are merged one by one, null removing; topics are a list, replaced whole. Raises
    `Invalid` for more of either than a profile holds.
    """
    said = {name: value for name, value in asdict(change).items() if value is not UNSET}
    if "topics" in said:
        said["topics"] = checked_topics(said["topics"] or (), "topics")
    if "attributes" in said:
        said["attributes"] = _merged(profile.attributes, said["attributes"])
    after = replace(profile, **said)
    return profile if after == profile else after


def checked_topics(topics: Iterable[str], field: str) -> tuple[str, ...]:
    """Each once, in order. Raises `Invalid` at `field` for more than a profile holds."""
    found = tuple(sorted(set(topics)))
    if len(found) > MOST_TOPICS:
        raise Invalid(field, f"a person follows {MOST_TOPICS} topics at most")
    return found


def _merged(
    before: Mapping[str, Attribute], patch: Mapping[str, Attribute | None] | None
) -> dict[str, Attribute]:
    if patch is None:
        return {}
    merged = {**before, **patch}
    found = {name: value for name, value in merged.items() if value is not None}
    if len(found) > MOST_ATTRIBUTES:
        raise Invalid("attributes", f"a person has {MOST_ATTRIBUTES} attributes at most")
    return found
