"""From a template as it is to what it becomes: a version more, another one in use, none at all.

Pure: steps for `Wording.change`. A step that returns what it was given changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from api.template_bodies import TemplateBody
from tocsin.errors import Invalid
from tocsin.records import Template, TemplateVersion, encode
from tocsin.templates.catalogue import version_of
from tocsin.templates.version import BUNDLED

MOST_VERSIONS: Final = 20
MOST_BYTES: Final = 900_000
"""Of a whole template as a record: below what a topic takes."""

_UNNUMBERED: Final = 1


def draft(body: TemplateBody, now: datetime) -> TemplateVersion:
    """The version a body asks for, with a number still to come."""
    return TemplateVersion(
        number=_UNNUMBERED,
        created_at=now,
        variables=body.variables,
        locales=body.locales,
        default_locale=body.default_locale,
        sample=body.sample,
        note=body.note,
    )


class Addition:
    """Adds a version, unless the newest says the same already: then this is a repeated request.

    Afterwards `number` is the version's, `new` whether it was made, and `dropped` what had to go:
    the oldest of those that are not in use.
    """

    def __init__(self, template_id: str, wanted: TemplateVersion) -> None:
        self._id, self._wanted = template_id, wanted
        self.number, self.new, self.dropped = 0, False, list[int]()

    def __call__(self, before: Template | None) -> Template:
        """Raises `Invalid` for a version too large to be kept beside the one in use."""
        there = before or Template(self._id, ())
        newest = max(there.versions, key=lambda v: v.number, default=None)
        if newest is not None and _content(newest) == _content(self._wanted):
            self.number, self.new, self.dropped = newest.number, False, []
            return there
        self.number, self.new = next_number(there), True
        made = replace(self._wanted, number=self.number)
        after = replace(there, versions=(*there.versions, made))
        after, self.dropped = _with_room(after, self.number)
        return after


def next_number(template: Template) -> int:
    """One more than the newest; after a deletion, more than there can have been. A number is never
    used twice: whoever has a version in memory may keep it for ever. Each version made has raised
    the revision, too, so no number is above it."""
    if template.versions:
        return max(version.number for version in template.versions) + 1
    return template.revision + 1


def publishing(template: Template, number: int) -> Template:
    """The template with this version in use. Raises `Invalid` for one it does not have."""
    if number != BUNDLED and version_of(template, number) is None:
        there = ", ".join(str(version.number) for version in template.versions)
        name = template.template_id
        raise Invalid("version", f"{name!r} has no version {number}; it has {there}")
    return template if template.published == number else replace(template, published=number)


def deleted(template: Template) -> Template:
    """What is left of it: its id, and a revision that goes on."""
    return replace(template, versions=(), published=BUNDLED) if template.versions else template


def _with_room(template: Template, newest: int) -> tuple[Template, list[int]]:
    dropped: list[int] = []
    while len(template.versions) > MOST_VERSIONS or len(encode(template)) > MOST_BYTES:
        kept = {template.published, newest}
        oldest = min((v.number for v in template.versions if v.number not in kept), default=None)
        if oldest is None:
            raise Invalid("", f"makes a template of more than {MOST_BYTES:,} bytes")
        dropped.append(oldest)
        left: Sequence[TemplateVersion] = [v for v in template.versions if v.number != oldest]
        template = replace(template, versions=tuple(left))
    return template, dropped


def _content(version: TemplateVersion) -> tuple[object, ...]:
    v = version
    return v.variables, v.locales, v.default_locale, v.sample, v.note
