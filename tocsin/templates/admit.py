"""Whether a new version may be made: everything that could fail later is tried now.

Slow (it compiles every locale's every channel): call it in a thread.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jinja2 import TemplateError

from tocsin.errors import Invalid, Permanent
from tocsin.records import CHANNELS, Channel, TemplateVersion, Variable, Words
from tocsin.templates import grammar
from tocsin.templates.built_in import OTP, WORDS
from tocsin.templates.grammar import Forbidden
from tocsin.templates.locales import plain
from tocsin.templates.renderer import Renderer
from tocsin.templates.variables import BUILT_IN
from tocsin.templates.version import Version
from tocsin.templates.words import Said, parts, said_on

_EXAMPLES: Final[Mapping[str, Any]] = {
    "string": "x", "integer": 1, "number": 1.5, "boolean": True, "list": [], "object": {}, "any": 1,
}  # fmt: skip
_MOST_NODES: Final = 20_000
"""Of all locales together; compiling so many takes most of a second."""

_MISSING: Final = "missing variable: "


def admit(template_id: str, record: TemplateVersion, renderer: Renderer) -> None:
    """Raises `Invalid` naming the place in the version: ``locales.de.email.html`` and the line, a
    variable, or the member of the sample that does not fit."""
    _check_variables(record.variables, template_id)
    _check_locales(record)
    allowed = BUILT_IN | record.variables.keys()
    size = 0
    for locale, words in record.locales.items():
        for name, said in _own_words(words):
            for part in parts(said):
                place = f"locales.{locale}.{name}.{part.name}"
                size += _check_part(place, part.source, allowed)
                if size > _MOST_NODES:
                    raise Invalid(place, f"brings the expressions to more than {_MOST_NODES:,}")
        if template_id == OTP:
            _check_code(locale, words)
    version = Version(template_id, record)
    _check_sample(version, renderer)
    _check_optional(version, renderer)


def _check_variables(variables: Mapping[str, Variable], template_id: str) -> None:
    for name, variable in variables.items():
        if name in BUILT_IN and name != "name":
            raise Invalid(f"variables.{name}", "is what Tocsin itself fills in")
        if template_id == OTP and variable.required and name not in WORDS[OTP].record.variables:
            raise Invalid(f"variables.{name}", "a one-time code brings only `code` and `minutes`")


def _check_locales(record: TemplateVersion) -> None:
    seen: dict[str, str] = {}
    for name, words in record.locales.items():
        if (before := seen.setdefault(plain(name), name)) != name:
            raise Invalid(f"locales.{name}", f"is the same as {before}")
        if not any(said_on(words, channel) for channel in CHANNELS):
            raise Invalid(f"locales.{name}", "says nothing on any channel")
    if plain(record.default_locale) not in seen:
        raise Invalid("default_locale", f"there are no words in {record.default_locale!r}")


def _own_words(words: Words) -> Iterator[tuple[str, Said]]:
    """Each channel's words as they were given, without falling back."""
    for name in ("push", "inapp", "sms", "email"):
        if said := getattr(words, name):
            yield name, said


def _check_part(field: str, source: str, allowed: frozenset[str]) -> int:
    """How much there is to compile, in nodes."""
    try:
        tree = grammar.read(source)
    except Forbidden as error:
        raise Invalid(field, str(error)) from None
    for name, line in grammar.assigned(tree):
        if name in allowed:
            raise Invalid(field, f"line {line}: `{name}` has a value already")
    for name, line in grammar.undeclared(tree):
        if name not in allowed:
            raise Invalid(field, f"line {line}: `{name}` is not among the variables")
    return grammar.size(tree)


def _check_code(locale: str, words: Words) -> None:
    """A one-time code is to be in every text that brings it."""
    for name, said in _own_words(words):
        text = grammar.read(next(p.source for p in parts(said) if p.name in ("body", "text")))
        if "code" not in dict(grammar.undeclared(text)):
            raise Invalid(f"locales.{locale}.{name}", "does not say the `code`")


def _check_sample(version: Version, renderer: Renderer) -> None:
    if not version.record.sample:
        return
    try:
        version.check(version.record.sample)
    except Invalid as error:
        raise Invalid("sample" + error.field.removeprefix("data"), error.reason) from None
    for place, locale, channel in _spoken(version):
        try:
            _said(version, renderer, locale, channel, version.record.sample)
        except Permanent as error:
            raise Invalid(place, f"cannot be filled with the sample: {error.reason}") from None


def _check_optional(version: Version, renderer: Renderer) -> None:
    """Without what is not required the words must be whole all the same."""
    sample, variables = version.record.sample, version.record.variables
    data = {
        name: _given(name, variable, sample)
        for name, variable in variables.items()
        if variable.required
    }
    optional = {name for name, variable in variables.items() if not variable.required}
    for place, locale, channel in _spoken(version):
        try:
            _said(version, renderer, locale, channel, data)
        except Permanent as error:
            # other failures may be the made-up data's fault
            name = error.reason.removeprefix(_MISSING)
            if name != error.reason and name in optional:
                way = f"{{{{ {name} | default('...') }}}}"
                raise Invalid(
                    place, f"`{name}` is not required: say what stands in its place, as {way}"
                ) from None


def _given(name: str, variable: Variable, sample: Mapping[str, Any]) -> Any:
    for each in (name, *variable.aliases):
        if sample.get(each) is not None:
            return sample[each]
    return _EXAMPLES[variable.type]


def _spoken(version: Version) -> Iterator[tuple[str, str, Channel]]:
    """(place, locale, channel) of all that is said."""
    for locale, words in version.record.locales.items():
        for name, _ in _own_words(words):
            yield f"locales.{locale}.{name}", locale, Channel(name)


def _said(
    version: Version, renderer: Renderer, locale: str, channel: Channel, data: Mapping[str, Any]
) -> None:
    """Compile and fill. Raises `Permanent`, and `Invalid` for what even Jinja cannot compile."""
    try:
        version.words(locale, channel)
    except (TemplateError, SyntaxError, RecursionError, MemoryError, ValueError) as error:
        reason = f"cannot be compiled: {type(error).__name__}"
        raise Invalid(f"locales.{locale}.{channel}", reason) from None
    renderer.preview(version, locale, channel, data)
