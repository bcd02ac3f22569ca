"""Templates for tests."""

from datetime import UTC, datetime
from typing import Any

from tocsin.records import Template, TemplateVersion, Variable, Words
from tocsin.records.template import Mail, Note, Sms
from tocsin.settings import Settings
from tocsin.templates import Content, Renderer, Version
from tocsin.templates.admit import admit

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RENDERER = Renderer(Settings(jwt_secret="s" * 40, public_url="https://shop.example"))
NAME = {"who": Variable()}


def record(number: int = 1, **changes: Any) -> TemplateVersion:
    """A version that greets `who` by SMS in English."""
    fields: dict[str, Any] = {
        "number": number,
        "created_at": NOW,
        "variables": NAME,
        "locales": {"en": Words(sms=Sms(f"v{number}: hello {{{{ who }}}}"))},
    }
    return TemplateVersion(**fields | changes)


def template(template_id: str = "GREETING", *numbers: int, **changes: Any) -> Template:
    """A template with these versions, the last of them published."""
    versions = tuple(record(n) for n in numbers)
    fields: dict[str, Any] = {"published": max(numbers, default=0), "revision": len(numbers)}
    return Template(template_id, versions, **fields | changes)


def sms(body: str, **variables: Variable) -> TemplateVersion:
    """A version of one text message."""
    return record(variables=variables, locales={"en": Words(sms=Sms(body))})


def email(html: str, **variables: Variable) -> TemplateVersion:
    """A version of one email, its text empty but for the layout."""
    return record(variables=variables, locales={"en": Words(email=Mail("s", "t", html))})


def push(title: str, body: str, **variables: Variable) -> TemplateVersion:
    return record(variables=variables, locales={"en": Words(push=Note(title, body))})


def filled(version: TemplateVersion, channel: Any, **data: Any) -> Content:
    """What it says, without asking whether it may be published."""
    return RENDERER.preview(Version("T", version), "en", channel, data)


def admitted(version: TemplateVersion, template_id: str = "T") -> None:
    admit(template_id, version, RENDERER)
