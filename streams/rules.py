"""The rules a shop can change without code: rules.toml, and its own file laid over it."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from tocsin.errors import ConfigError, Invalid
from tocsin.records import Channel, Priority, Strategy, encode
from tocsin.records.codec import as_invalid
from tocsin.records.fields import Category, TypeName
from tocsin.records.profile import LocalTime

BUNDLED: Final = Path(__file__).with_name("rules.toml")
OTHER: Final = "OTHER"
DIGEST: Final = "DIGEST"
"""The type of what digests become."""

EVERYTHING: Final = "all"
"""The category whose cap counts all categories together."""


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class Cap(_Rule, frozen=True):
    """At most `most` notifications within any stretch of `per`."""

    most: Annotated[int, Meta(ge=1)]
    per: timedelta

    def __post_init__(self) -> None:
        _positive("per", self.per)


class DigestRule(_Rule, frozen=True):
    """Collect for a `window` after the first, or until the next `at` in the person's own zone."""

    channels: tuple[Channel, ...]
    window: timedelta | None = None
    at: LocalTime | None = None

    def __post_init__(self) -> None:
        if (self.window is None) == (self.at is None):
            raise ValueError("exactly one of `window` and `at` is needed")
        if self.window is not None:
            _positive("window", self.window)


class TypeRule(_Rule, frozen=True):
    """`category` is what preferences switch; `lifetime` is how long a message makes sense."""

    category: Category
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    lifetime: timedelta = timedelta(days=1)
    strategy: Strategy = Strategy.ALL
    dedupe: timedelta | None = None
    digest: DigestRule | None = None

    def __post_init__(self) -> None:
        _positive("lifetime", self.lifetime)
        if self.dedupe is not None:
            _positive("dedupe", self.dedupe)


class CategoryRule(_Rule, frozen=True):
    """`uncounted` keeps a category out of the cap over everything."""

    cap: Cap | None = None
    uncounted: bool = False


class Tries(_Rule, frozen=True):
    """Provider calls per delivery, and how long after it was accepted the last may be made."""

    attempts: Annotated[int, Meta(ge=1, le=100)]
    deadline: timedelta

    def __post_init__(self) -> None:
        _positive("deadline", self.deadline)


class Cascade(_Rule, frozen=True):
    """How long in-app has before the push goes out, and before e-mail and SMS do."""

    ack: timedelta
    unread: timedelta

    def __post_init__(self) -> None:
        _positive("ack", self.ack)
        _positive("unread", self.unread)


class Rules(_Rule, frozen=True, dict=True):
    """Everything a decision depends on beside the request, the person and the time."""

    types: dict[TypeName, TypeRule]
    categories: dict[Category, CategoryRule]
    classes: dict[Priority, Tries]
    cascade: Cascade

    def __post_init__(self) -> None:
        if (digest := self.types.get(DIGEST)) and digest.digest:
            raise ValueError(f"`types.{DIGEST}.digest`: digests are not collected into digests")
        if OTHER not in self.types:
            raise ValueError(f"`types.{OTHER}` is missing")
        if missing := [priority.value for priority in Priority if priority not in self.classes]:
            raise ValueError(f"`classes.{missing[0]}` is missing")
        # what a trace names them by
        self.__dict__["digest"] = sha256(encode(self)).hexdigest()[:8]

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits: the same rules, the same digits."""
        return str(self.__dict__["digest"])

    def of(self, type_name: str) -> TypeRule:
        """The type's rule, or that of any other type."""
        return self.types.get(type_name) or self.types[OTHER]

    def caps(self, category: str) -> list[tuple[str, Cap]]:
        """(what is counted, the cap) that a notification of this category falls under."""
        own = self.categories.get(category, _NO_RULE)
        found = [(category, own.cap)] if own.cap else []
        every = self.categories.get(EVERYTHING, _NO_RULE).cap
        if every and not own.uncounted and category != EVERYTHING:
            found.append((EVERYTHING, every))
        return found


_NO_RULE: Final = CategoryRule()


def load_rules(file: Path | None = None) -> Rules:
    """The bundled rules with those of `file` over them. Raises `ConfigError`, one line, naming the
    file and the place in it."""
    rules = _read(BUNDLED)
    if file is not None:
        rules = merged(rules, _read(file))
    try:
        return parsed(rules)
    except Invalid as error:
        raise ConfigError(f"{file or BUNDLED}: {error}") from None


def parsed(document: Mapping[str, Any]) -> Rules:
    """A document as rules. Raises `Invalid` naming the place."""
    try:
        return msgspec.convert(document, Rules)
    except msgspec.ValidationError as error:
        raise as_invalid(error) from None


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged, everything else is replaced."""
    found = dict(under)
    for name, value in over.items():
        below = found.get(name)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        found[name] = merged(below, value) if both else value  # type: ignore[arg-type]
    return found


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not TOML: {error}") from None


def _positive(name: str, span: timedelta) -> None:
    if not timedelta(0) < span <= timedelta(days=366):
        raise ValueError(f"`{name}` must be longer than nothing and no longer than a year")
