"""Words with holes: versioned, per channel and locale, their variables declared and typed."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tocsin.records.fields import Id, Instant

Source = Annotated[str, Meta(max_length=65_536)]
"""Jinja2, in characters."""

VariableName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
LocaleName = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$", max_length=35)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Variable(_Part, frozen=True):
    """What a request's `data` holds under this name, or under one of `aliases`. A `string` may also
    come as a number."""

    type: Literal["string", "integer", "number", "boolean", "list", "object", "any"] = "string"
    required: bool = True
    about: Annotated[str, Meta(max_length=500)] = ""
    aliases: Annotated[tuple[VariableName, ...], Meta(max_length=8)] = ()


class Note(_Part, frozen=True):
    """A title and a text: push and in-app."""

    title: Source
    body: Source


class Sms(_Part, frozen=True):
    """Only a text."""

    body: Source


class Mail(_Part, frozen=True):
    """`html` is escaped automatically and put into the shop's layout."""

    subject: Source
    text: Source
    html: Source = ""


class Words(_Part, frozen=True):
    """One locale's words. In-app falls back to the push words; any other channel that has none is
    not sent."""

    push: Note | None = None
    inapp: Note | None = None
    sms: Sms | None = None
    email: Mail | None = None


class TemplateVersion(_Part, frozen=True):
    """Never changed once made. `sample` is data for previews that fits `variables`."""

    number: Annotated[int, Meta(ge=1)]
    created_at: Instant
    variables: Annotated[dict[VariableName, Variable], Meta(max_length=100)] = {}
    locales: Annotated[dict[LocaleName, Words], Meta(max_length=50)] = {}
    default_locale: LocaleName = "en"
    sample: dict[str, Any] = {}
    note: Annotated[str, Meta(max_length=500)] = ""


class Template(_Part, frozen=True):
    """The value of ``templates`` and of the Redis view. `published` is the version in use, 0 for
    the bundled words (or none, where there are none); `revision` grows with each change."""

    template_id: Id
    versions: tuple[TemplateVersion, ...]
    published: int = 0
    revision: int = 0
    updated_at: Instant | None = None
