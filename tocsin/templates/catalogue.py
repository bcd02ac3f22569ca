"""Every template there is now, and which version a request gets."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from tocsin.errors import Invalid
from tocsin.records import Channel, Template, TemplateVersion
from tocsin.templates.built_in import DEFAULT, OTP, WORDS
from tocsin.templates.version import BUNDLED, Chosen, Version

log = logging.getLogger(__name__)


class _Entry:
    """A template as it stands, with what of its versions was asked for."""

    def __init__(self, template: Template, before: "_Entry | None" = None) -> None:
        self.template = template
        self._records = {record.number: record for record in template.versions}
        kept: dict[int, Version] = before._versions if before else {}
        self._versions: dict[int, Version] = {n: v for n, v in kept.items() if n in self._records}

    def version(self, number: int) -> Version | None:
        if (found := self._versions.get(number)) is None and number in self._records:
            found = Version(self.template.template_id, self._records[number])
            self._versions[number] = found
        return found

    @property
    def numbers(self) -> list[int]:
        return sorted(self._records)


class Catalogue:
    """A view of the ``templates`` topic, kept by feed.py. Knows the bundled words from the start.

    A deleted template is one without versions: its revision and numbers go on if it is made again.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def put(self, template: Template) -> bool:
        """Take it unless a newer one is known. Whether it was taken."""
        before = self._entries.get(template.template_id)
        if before is not None and before.template.revision > template.revision:
            return False
        self._entries[template.template_id] = _Entry(template, before)
        return True

    def forget(self, template_id: str) -> None:
        """A tombstone."""
        self._entries.pop(template_id, None)

    def get(self, template_id: str) -> Template | None:
        """The template as last heard of, also without versions; None where there never was one."""
        entry = self._entries.get(template_id)
        return entry.template if entry else None

    def __iter__(self) -> Iterator[Template]:
        """Every template that has a version, by id; the bundled ones are not among them."""
        for _, entry in sorted(self._entries.items()):
            if entry.template.versions:
                yield entry.template

    def choose(
        self,
        kind: str,
        template_id: str | None,
        template_version: int | None,
        data: Mapping[str, Any],
    ) -> Chosen:
        """The words for a request of type `kind`: those it names, else its type's, else DEFAULT's;
        of the version it names, else of the published one, else the bundled.

        Raises `Invalid` (``template_id``, ``template_version``, ``data.<name>``). A few µs.
        """
        name = template_id if template_id is not None else self._of_type(kind)
        version = self._version(name, template_version)
        version.check(data)
        return version.chosen

    def channels(self, chosen: Chosen, locale: str = "") -> frozenset[Channel]:
        """Where these words say anything to a person of this locale. Empty for a version that is
        not known (any more)."""
        version = self._known(chosen.template_id, chosen.version)
        return version.channels(locale) if version else frozenset()

    def published(self, template_id: str) -> int:
        """The number of the version in use, 0 for the bundled words."""
        entry = self._entries.get(template_id)
        return entry.template.published if entry and entry.template.versions else BUNDLED

    def otp(self) -> int:
        """The version of the template OTP that new codes are to be said in."""
        return self.published(OTP)

    def _of_type(self, kind: str) -> str:
        return kind if kind in WORDS or self.published(kind) else DEFAULT

    def _known(self, template_id: str, number: int) -> Version | None:
        if number == BUNDLED:
            return WORDS.get(template_id)
        entry = self._entries.get(template_id)
        return entry.version(number) if entry else None

    def _version(self, template_id: str, number: int | None) -> Version:
        wanted = self.published(template_id) if number is None else number
        if (found := self._known(template_id, wanted)) is not None:
            return found
        raise self._unknown(template_id, number)

    def _unknown(self, template_id: str, number: int | None) -> Invalid:
        entry = self._entries.get(template_id)
        if template_id not in WORDS and (entry is None or not entry.numbers):
            return Invalid("template_id", f"there is no template {template_id!r}")
        if number is None:
            return Invalid("template_id", f"no version of {template_id!r} is published")
        there = ", ".join(map(str, entry.numbers)) if entry else ""
        has = f"it has {there}" if there else "it has only the bundled words, 0"
        return Invalid("template_version", f"{template_id!r} has no version {number}; {has}")


def newest(*templates: Template | None) -> Template | None:
    """The one with the highest revision."""
    there = [template for template in templates if template is not None]
    return max(there, key=lambda template: template.revision, default=None)


def version_of(template: Template | None, number: int) -> TemplateVersion | None:
    """A version by its number."""
    versions = template.versions if template else ()
    return next((version for version in versions if version.number == number), None)
