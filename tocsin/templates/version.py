"""One version of a template: what it wants of the data, and its words in every locale."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tocsin.records import CHANNELS, Channel, TemplateVersion
from tocsin.templates.locales import chain, plain
from tocsin.templates.variables import Checks
from tocsin.templates.words import Compiled, Said, said_on

BUNDLED: Final = 0
"""The number of the words that come with Tocsin."""

_MOST_LOCALES: Final = 500
"""Locales remembered: a profile's may be any text."""


class Chosen(NamedTuple):
    """The words a request gets. They are the same for ever."""

    template_id: str
    version: int


class Version:
    """Checks at once; words are compiled when somebody first needs them."""

    def __init__(self, template_id: str, record: TemplateVersion) -> None:
        self.chosen = Chosen(template_id, record.number)
        self.record = record
        number = f"version {record.number}" if record.number else "the bundled version"
        self._checks = Checks(record.variables, f"{number} of {template_id}")
        self._locales = {plain(name): name for name in record.locales}
        self._channels: dict[str, frozenset[Channel]] = {}
        self._found: dict[tuple[str, Channel], Compiled | None] = {}
        self._compiled: dict[tuple[str, Channel], Compiled] = {}

    def check(self, data: Mapping[str, Any]) -> None:
        """Raises `Invalid` ``data.<name>`` for data these words cannot be filled with."""
        self._checks(data)

    def name(self, variables: dict[str, Any]) -> None:
        """Put what came under an alias under its own name as well."""
        self._checks.name(variables)

    def channels(self, locale: str = "") -> frozenset[Channel]:
        """Where there are words for a person of this locale."""
        if (found := self._channels.get(locale)) is None:
            found = frozenset(c for c in CHANNELS if self.said(locale, c))
            if len(self._channels) >= _MOST_LOCALES:
                self._channels.clear()
            self._channels[locale] = found
        return found

    def said(self, locale: str, channel: Channel) -> tuple[str, Said] | None:
        """The locale spoken and its sources: the first of the chain that has this channel."""
        for wanted in chain(locale, self.record.default_locale):
            name = self._locales.get(wanted)
            if name is not None and (said := said_on(self.record.locales[name], channel)):
                return name, said
        return None

    def words(self, locale: str, channel: Channel) -> Compiled | None:
        """The same, compiled. Raises what `Compiled` raises."""
        key = (locale, channel)
        try:
            return self._found[key]
        except KeyError:
            pass
        found = self.said(locale, channel)
        words = self._compile(channel, *found) if found else None
        if len(self._found) >= _MOST_LOCALES:
            self._found.clear()
        self._found[key] = words
        return words

    def _compile(self, channel: Channel, locale: str, said: Said) -> Compiled:
        key = (locale, channel)
        if (there := self._compiled.get(key)) is None:
            there = self._compiled[key] = Compiled(said, locale)
        return there

    @property
    def size(self) -> int:
        """Characters of its sources, about."""
        return sum(
            len(source)
            for words in self.record.locales.values()
            for said in (words.push, words.inapp, words.sms, words.email)
            if said
            for source in (getattr(said, name) for name in said.__struct_fields__)
        )
