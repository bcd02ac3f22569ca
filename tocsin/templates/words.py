"""One channel's words in one locale, compiled.

A channel's parts are compiled into as few templates as escaping allows, joined by a mark, and a
layout is joined in as text: setting a template up to run costs 5 times what running it does.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Template
from jinja2.runtime import new_context

from tocsin.records import Channel, Words
from tocsin.records.template import Mail, Note, Sms
from tocsin.templates import grammar
from tocsin.templates.sandbox import HTML, TEXT
from tocsin.templates.work import MOST_CHARACTERS, TooMuch, begin

_LAYOUT: Final = Path(__file__).parent / "layout"
_TEXT_LAYOUT: Final = (_LAYOUT / "email.text.j2").read_text()
_HTML_LAYOUT: Final = (_LAYOUT / "email.html.j2").read_text()
_PLACE: Final = "CONTENT"
_LANG: Final = "LANG"

Said = Note | Sms | Mail

Spoken = tuple[str, str, str]
"""Title, text and HTML, each empty where the channel has none."""


class Part(NamedTuple):
    """One source of a channel; its name is the record's field."""

    name: str
    source: str


def said_on(words: Words, channel: Channel) -> Said | None:
    """A locale's words on a channel, None where it has none. In-app falls back to push."""
    match channel:
        case Channel.INAPP:
            return words.inapp or words.push
        case Channel.PUSH:
            return words.push
        case Channel.SMS:
            return words.sms
        case Channel.EMAIL:
            return words.email


def parts(said: Said) -> Iterator[Part]:
    """The sources, in the record's order."""
    match said:
        case Note():
            yield Part("title", said.title)
            yield Part("body", said.body)
        case Sms():
            yield Part("body", said.body)
        case Mail():
            yield Part("subject", said.subject)
            yield Part("text", said.text)
            if said.html:
                yield Part("html", said.html)


class Compiled:
    """A channel's words, ready to be filled."""

    # no data can guess it, so no data can move the border between title and text
    mark = f"\x1e{secrets.token_hex(8)}\x1e"

    def __init__(self, said: Said, locale: str) -> None:
        """Raises `grammar.Forbidden`, and what Jinja raises of words that cannot be compiled."""
        for part in parts(said):
            grammar.read(part.source)
        html = said.html if isinstance(said, Mail) else ""
        layout = _HTML_LAYOUT.replace(_LANG, locale)
        self._text = TEXT.from_string(self.mark.join(_texts(said)))
        self._html = HTML.from_string(layout.replace(_PLACE, html)) if html else None

    def say(self, variables: dict[str, Any]) -> Spoken:
        """Raises what Jinja raises; `work.TooMuch` is one of these."""
        title, mark, body = _run(self._text, variables).partition(self.mark)
        html = _run(self._html, variables) if self._html else ""
        return (title, body, html) if mark else ("", title, html)


def _texts(said: Said) -> tuple[str, ...]:
    """The title, where there is one, and the text."""
    match said:
        case Note():
            return said.title, said.body
        case Sms():
            return (said.body,)
        case Mail():
            return said.subject, _TEXT_LAYOUT.replace(_PLACE, said.text)


def _run(template: Template, variables: dict[str, Any]) -> str:
    """`template.render` without copying the variables, without Jinja's globals, which no template
    here uses, and within the bounds of work.py."""
    begin()
    context = new_context(
        template.environment, template.name, template.blocks, variables, shared=True
    )
    left, found = MOST_CHARACTERS, []
    for piece in template.root_render_func(context):
        left -= len(piece)
        if left < 0:
            raise TooMuch("too long")
        found.append(piece)
    return "".join(found)
