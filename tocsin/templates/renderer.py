"""Deliveries to words. Strict: a missing variable fails the message rather than leave a hole.

10 µs for a push, 32 for an email: templates are compiled once (words.py), and the versions used
last stay here (cache.py).
"""

import logging
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final

from jinja2 import TemplateError, UndefinedError

from tocsin.clock import Clock
from tocsin.errors import Permanent, Transient
from tocsin.records import Channel, Delivery, Profile, Template
from tocsin.settings import Settings
from tocsin.store.templates import Templates
from tocsin.templates.built_in import DEFAULT, OTP, WORDS
from tocsin.templates.cache import Cache
from tocsin.templates.content import Content
from tocsin.templates.context import TARGET, Context
from tocsin.templates.grammar import Forbidden
from tocsin.templates.version import BUNDLED, Chosen, Version
from tocsin.templates.work import TooMuch

log = logging.getLogger(__name__)

MAX_TITLE: Final = 200
MAX_BODY: Final = {Channel.PUSH: 1_000, Channel.INAPP: 4_000, Channel.SMS: 1_600}
"""Characters; longer texts are cut. Twilio takes no longer SMS."""

MAX_PUSH_BYTES: Final = 2_900
"""Of a push's body: with a title of 200 characters the whole stays below 4,096 bytes."""

MAX_MAIL_BYTES: Final = 1_000_000
"""Of text and HTML together, UTF-8; a larger mail is not sent."""

_ELLIPSIS: Final = {Channel.SMS: "..."}
"""A real one would make an SMS of Latin letters one of half as many characters a part."""


class TemplateMissing(Transient):
    """The version is not in the store's view, which may be being rebuilt."""

    def __init__(self) -> None:
        super().__init__("template_missing")


class Renderer:
    """The bundled templates, and what versions it was given."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """`clock` is the fleet's, where links are tracked: they say when their message left."""
        self._context = Context(settings, clock)
        self._versions = Cache()

    async def load(self, templates: Templates, wanted: Iterable[Chosen]) -> None:
        """Have these versions here, in one call where one of them is not. Raises what Redis raises.

        What the store does not have either is missing when it is to be said.
        """
        missing = {chosen for chosen in wanted if chosen not in self._versions}
        if missing:
            names = sorted({chosen.template_id for chosen in missing})
            self.learn(missing, await templates.get_many(names))

    def learn(self, wanted: Container[Chosen], templates: Sequence[Template | None]) -> None:
        """Keep the wanted versions that are among these templates."""
        for template in templates:
            for record in template.versions if template else ():
                assert template is not None
                if Chosen(template.template_id, record.number) in wanted:
                    self._versions.put(Version(template.template_id, record))

    def render(self, delivery: Delivery, profile: Profile) -> Content:
        """The words of one delivery.

        Raises `TemplateMissing` for a version that is not here, else `Permanent`: naming the
        variable that is missing, ``no_words`` where the channel has none, or saying that the
        template cannot be rendered with this data.
        """
        version = self._version(delivery)
        variables = self._context.of(delivery, profile)
        locale = delivery.locale or profile.locale
        return said(version, locale, delivery.channel, variables)

    def code(
        self, code: str, channel: Channel, minutes: int, number: int = BUNDLED, locale: str = ""
    ) -> Content:
        """A one-time code's words: those of a version of the template OTP if it is here and can
        say them, else the bundled ones. A log-in does not wait for words."""
        variables = self._context.code(code, minutes)
        if number and (version := self._versions.get(Chosen(OTP, number))):
            try:
                return said(version, locale, channel, variables)
            except Permanent as error:
                log.error("version %d of OTP cannot be said by %s: %s", number, channel, error)
        return said(WORDS[OTP], locale, channel, variables)

    def preview(
        self, version: Version, locale: str, channel: Channel, data: Mapping[str, Any]
    ) -> Content:
        """What a message with this data would say. Raises `Permanent` as `render`."""
        variables = self._context.bare(version.chosen.template_id, data)
        return said(version, locale, channel, variables)

    def _version(self, delivery: Delivery) -> Version:
        if delivery.template_version:
            if (found := self._versions.get(_chosen(delivery))) is None:
                raise TemplateMissing
            return found
        return WORDS.get(delivery.template_id) or WORDS.get(delivery.type) or WORDS[DEFAULT]


def versions_of(deliveries: Iterable[Delivery]) -> set[Chosen]:
    """The versions these are said in, but for the bundled ones: to be loaded."""
    return {_chosen(d) for d in deliveries if d.template_version}


def said(version: Version, locale: str, channel: Channel, variables: dict[str, Any]) -> Content:
    """A version's words on a channel. Raises `Permanent` as `Renderer.render`."""
    version.name(variables)
    try:
        words = version.words(locale, channel)
        if words is None:
            raise Permanent("no_words")
        title, body, html = words.say(variables)
    except UndefinedError as error:
        raise Permanent(f"missing variable: {error.message}") from None
    except TooMuch as error:
        raise Permanent(f"template error: {error.message}") from None
    except _BROKEN as error:
        # not the error's text: it may quote the data
        raise Permanent(f"template error: {type(error).__name__}") from None
    if channel is Channel.EMAIL and _large(body, html):
        raise Permanent(f"a mail of more than {MAX_MAIL_BYTES:,} bytes")
    return Content(
        body=_cut_body(body.strip(), channel),
        title=_cut(" ".join(title.split()), MAX_TITLE, "…"),
        html=html,
        link=variables["link"],
        unsubscribe=variables["unsubscribe"],
        target=variables[TARGET],
    )


_BROKEN: Final = (
    TemplateError, Forbidden, TypeError, ValueError, ArithmeticError, LookupError, AttributeError,
    RecursionError, SyntaxError, MemoryError, AssertionError,
)  # fmt: skip
"""What hostile words and data can come to; whatever else is raised is a bug of ours."""


def _chosen(delivery: Delivery) -> Chosen:
    return Chosen(delivery.template_id, delivery.template_version)


def _large(body: str, html: str) -> bool:
    if len(body) + len(html) <= MAX_MAIL_BYTES // 4:
        return False
    return len(body.encode()) + len(html.encode()) > MAX_MAIL_BYTES


def _cut_body(text: str, channel: Channel) -> str:
    text = _cut(text, MAX_BODY.get(channel, len(text)), _ELLIPSIS.get(channel, "…"))
    if channel is Channel.PUSH and len(text) > MAX_PUSH_BYTES // 4:
        encoded = text.encode()
        if len(encoded) > MAX_PUSH_BYTES:
            text = encoded[: MAX_PUSH_BYTES - 3].decode(errors="ignore") + "…"
    return text


def _cut(text: str, most: int, end: str) -> str:
    return text if len(text) <= most else text[: most - len(end)] + end
