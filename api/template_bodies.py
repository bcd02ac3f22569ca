"""What the template routes take and give."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tocsin.records import Channel, Template, TemplateVersion, Variable, Words
from tocsin.records.fields import Count
from tocsin.records.template import LocaleName, VariableName
from tocsin.templates.built_in import WORDS
from tocsin.templates.version import BUNDLED

TemplateId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
"""Fit for a path: a template is changed by its address."""


class TemplateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The next version of a template; the first one makes it. `sample` is what previews use."""

    template_id: TemplateId
    locales: Annotated[dict[LocaleName, Words], Meta(min_length=1, max_length=50)]
    variables: Annotated[dict[VariableName, Variable], Meta(max_length=100)] = {}
    default_locale: LocaleName = "en"
    sample: dict[str, Any] = {}
    note: Annotated[str, Meta(max_length=500)] = ""


class PublishBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version to be used from now on; an older one, or 0 (the bundled words), rolls back."""

    version: Count


class PreviewBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Without `version` the one in use, or the newest where none is; without `data` its sample."""

    version: Count | None = None
    locale: LocaleName | None = None
    data: dict[str, Any] | None = None
    channels: tuple[Channel, ...] = ()


class VersionSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """One version without its words."""

    number: int
    created_at: datetime
    locales: list[str]
    note: str = ""


class TemplateView(msgspec.Struct, frozen=True):
    """A template and its versions, newest first. `published` 0 is the bundled words, of which
    `bundled` says whether there are any."""

    template_id: str
    published: int
    bundled: bool
    revision: int
    updated_at: datetime | None
    versions: list[VersionSummary]


class VersionAdded(msgspec.Struct, frozen=True):
    """The version made. `dropped` are older ones that had to make room for it."""

    template_id: str
    version: int
    published: int
    dropped: list[int]


class TemplateList(msgspec.Struct, frozen=True):
    """By id, the bundled ones among them."""

    templates: list[TemplateView]


class VersionView(msgspec.Struct, frozen=True):
    """One version as it was made; 0 is the bundled words."""

    template_id: str
    number: int
    created_at: datetime
    variables: dict[str, Variable]
    locales: dict[str, Words]
    default_locale: str
    sample: dict[str, Any]
    note: str


def view(template_id: str, template: Template | None) -> TemplateView:
    """A template as people see it; None for one that is only bundled."""
    records = list(template.versions) if template else []
    bundled = WORDS.get(template_id)
    if bundled:
        records.append(bundled.record)
    return TemplateView(
        template_id=template_id,
        published=template.published if template else BUNDLED,
        bundled=bundled is not None,
        revision=template.revision if template else 0,
        updated_at=template.updated_at if template else None,
        versions=[
            VersionSummary(r.number, r.created_at, sorted(r.locales), r.note)
            for r in sorted(records, key=lambda r: -r.number)
        ],
    )


def version_view(template_id: str, record: TemplateVersion) -> VersionView:
    """A version as people see it."""
    return VersionView(
        template_id,
        record.number,
        record.created_at,
        record.variables,
        record.locales,
        record.default_locale,
        record.sample,
        record.note,
    )
