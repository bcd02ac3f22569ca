"""Templates to words. Compiled once, sandboxed, and strict: a missing variable fails the message
rather than leave a hole in it.

A channel's parts are compiled into as few templates as escaping allows, joined by a mark, and a
layout is joined in as text: setting a template up to run costs 5 times what running it does.
"""

import secrets
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, Template, TemplateError, UndefinedError
from jinja2.runtime import new_context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from actors.context import Context, money
from actors.message import Content
from tocsin.errors import Permanent
from tocsin.records import Channel, Delivery, Profile
from tocsin.settings import Settings

FOLDER: Final = Path(__file__).parent / "templates"
DEFAULT: Final = "DEFAULT"
LAYOUT: Final = "layout"
_PLACE: Final = "CONTENT"

_TEXTS: Final = {
    Channel.INAPP: ("push.title", "push.body"),
    Channel.PUSH: ("push.title", "push.body"),
    Channel.SMS: ("sms.body",),
    Channel.EMAIL: ("email.subject", "email.text"),
}
"""The title, where there is one, and the text."""

_HTML: Final = {Channel.EMAIL: "email.html"}
_MAX_TITLE: Final = 200
_MAX_BODY: Final = {Channel.PUSH: 1_000, Channel.INAPP: 4_000}


class _Required(StrictUndefined):
    """Its error's text is the bare name of what is missing."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return self._undefined_name or "a value"


class _Words:
    """What one type says on one channel."""

    # no data can guess it, so no data can move the border between title and text
    mark = f"\x1e{secrets.token_hex(8)}\x1e"

    def __init__(self, text: Environment, html: Environment, kind: str, channel: Channel) -> None:
        self._titled = len(_TEXTS[channel]) == 2
        sources = [_source(kind, name) for name in _TEXTS[channel]]
        self._text = text.from_string(self.mark.join(sources))
        name = _HTML.get(channel)
        self._html = html.from_string(_source(kind, name)) if name else None

    def say(self, variables: dict[str, Any]) -> tuple[str, str, str]:
        """Title, text and HTML."""
        title, mark, body = _run(self._text, variables).partition(self.mark)
        html = _run(self._html, variables) if self._html else ""
        return (title, body, html) if mark else ("", title, html)


def _run(template: Template, variables: dict[str, Any]) -> str:
    """`template.render` without copying the variables, and without Jinja's globals, which no
    template here uses."""
    context = new_context(
        template.environment, template.name, template.blocks, variables, shared=True
    )
    return "".join(template.root_render_func(context))


def _source(kind: str, name: str) -> str:
    own = (FOLDER / kind / f"{name}.j2").read_text().strip()
    layout = FOLDER / LAYOUT / f"{name}.j2"
    return layout.read_text().replace(_PLACE, own) if layout.exists() else own


class Renderer:
    """The bundled templates, `<TYPE>/<channel>.<part>.j2`."""

    def __init__(self, settings: Settings) -> None:
        self._context = Context(settings)
        text, html = _environment(escape=False), _environment(escape=True)
        self._words = {
            (folder.name, channel): _Words(text, html, folder.name, channel)
            for folder in FOLDER.iterdir()
            if folder.is_dir() and folder.name != LAYOUT
            for channel in Channel
        }

    def render(self, delivery: Delivery, profile: Profile) -> Content:
        """The words of one delivery. Raises `Permanent` naming the variable that is missing, or
        saying that the template cannot be rendered with this data."""
        variables = self._context.of(delivery, profile)
        names = (delivery.template_id, delivery.type, DEFAULT)
        return self._said(names, delivery.channel, variables)

    def code(self, code: str, channel: Channel, minutes: int) -> Content:
        """A one-time code's words."""
        variables = {"code": code, "minutes": minutes, "name": "", "link": "", "unsubscribe": ""}
        return self._said(("OTP",), channel, self._context.completed(variables))

    def inbox(self, delivery: Delivery, profile: Profile) -> dict[str, str]:
        """`title`, `body` and `url` of an inbox item."""
        content = self.render(delivery, profile)
        return {"title": content.title, "body": content.body, "url": content.link}

    def _said(self, names: tuple[str, ...], channel: Channel, variables: dict[str, Any]) -> Content:
        words = next(w for name in names if (w := self._words.get((name, channel))))
        try:
            title, body, html = words.say(variables)
        except UndefinedError as error:
            raise Permanent(f"missing variable: {error.message}") from None
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            # not the error's text: it may quote the data
            raise Permanent(f"template error: {type(error).__name__}") from None
        return Content(
            body=_cut(body.strip(), _MAX_BODY.get(channel, 100_000)),
            title=_cut(" ".join(title.split()), _MAX_TITLE),
            html=html,
            link=variables["link"],
            unsubscribe=variables["unsubscribe"],
        )


def _environment(*, escape: bool) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        undefined=_Required, autoescape=escape, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["money"] = money
    return environment


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
