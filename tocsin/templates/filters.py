"""The filters and tests a template may use, each bounded. What is not here does not exist."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from jinja2 import Environment
from jinja2.filters import FILTERS as JINJAS_FILTERS
from jinja2.filters import do_truncate
from jinja2.nodes import EvalContext
from jinja2.runtime import Undefined, markup_join, str_join
from jinja2.tests import TESTS as JINJAS_TESTS
from jinja2.utils import pass_environment, pass_eval_context

from tocsin.templates.work import bounded, pay, spend

_SYMBOLS: Final = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
_MOST_DIGITS: Final = 10

Function = Callable[..., Any]


def money(amount: object, currency: object = "") -> str:
    """`£139.12` for ("139.12", "GBP"); a currency without a symbol here stays a word."""
    if isinstance(amount, float):
        amount = f"{amount:.2f}"
    if symbol := _SYMBOLS.get(str(currency)):
        return f"{symbol}{amount}"
    return f"{amount} {currency}".rstrip()


def said(value: object) -> object:
    """What may be printed: texts and numbers. Jinja would print a list's repr, or `None`."""
    if isinstance(value, (str, int, float, Undefined)):
        return value
    raise TypeError("only texts and numbers can be printed")


def _of_text(function: Function) -> Function:
    """Jinja's own, for texts and numbers only; a list would become its repr."""

    def paid(value: Any, *args: Any, **kwargs: Any) -> Any:
        pay(said(_there(value)))
        result = function(value, *args, **kwargs)
        bounded(len(str(result)))
        return result

    return paid


def _of_any(function: Function) -> Function:
    """Jinja's own, paying for what goes in."""

    def paid(value: Any, *args: Any, **kwargs: Any) -> Any:
        pay(_there(value))
        return function(value, *args, **kwargs)

    return paid


def _of_any_in(function: Function) -> Function:
    """The same for those that are given the environment first."""

    @pass_environment
    def paid(environment: Environment, value: Any, *args: Any, **kwargs: Any) -> Any:
        pay(_there(value))
        return function(environment, value, *args, **kwargs)

    return paid


def _there(value: object) -> object:
    if isinstance(value, Undefined):
        str(value)  # raises, naming it
    return value


@pass_environment
def _truncate(environment: Environment, value: object, *args: Any, **kwargs: Any) -> str:
    pay(text := str(said(value)))
    return do_truncate(environment, text, *args, **kwargs)


def _reverse(value: Any) -> Any:
    if not isinstance(value, (str, list, tuple)):
        raise TypeError("only lists and texts have an order")
    pay(value)
    return value[::-1]


def _replace(value: object, old: str, new: str) -> str:
    text, old, new = str(value), str(old), str(new)
    pay(text)
    bounded(len(text) + text.count(old) * max(0, len(new) - len(old)))
    return text.replace(old, new)


@pass_eval_context
def _join(context: EvalContext, values: Iterable[object], by: str = "") -> str:
    parts = [said(value) for value in values]
    spend(1 + len(parts))
    return _joined(context, parts, str(by))


@pass_eval_context
def _concat(context: EvalContext, parts: list[object]) -> str:
    return _joined(context, [said(part) for part in parts], "")


def _joined(context: EvalContext, parts: list[object], by: str) -> str:
    """Escaped where the channel is HTML and any part is markup already, as Jinja's own."""
    bounded(sum(len(str(part)) + len(by) for part in parts))
    if by:
        parts = [each for part in parts for each in (by, part)][1:]
    return markup_join(parts) if context.autoescape else str_join(parts)


def _round(value: float, digits: int = 0) -> float:
    if not 0 <= digits <= _MOST_DIGITS:
        raise ValueError(f"0 to {_MOST_DIGITS} digits")
    return round(float(value), digits)


def _looped(values: Any, cost: int) -> Iterator[object]:
    """What a loop goes over; each turn pays for the body."""
    if not isinstance(_there(values), (list, tuple, dict)):
        raise TypeError("only lists and objects can be looped over")
    for value in values:
        spend(cost)
        yield value


def _measured(value: object) -> object:
    """An operand that is compared character by character."""
    pay(value)
    return value


LOOPED: Final = "%looped"
MEASURED: Final = "%measured"
CONCAT: Final = "%concat"
"""Put in by the sandbox itself; no template can spell them."""

_OF_TEXT: Final = ("capitalize", "float", "int", "lower", "title", "trim", "upper", "urlencode")

ALLOWED: Final[dict[str, Function]] = {
    **{name: _of_text(JINJAS_FILTERS[name]) for name in _OF_TEXT},
    **{name: _of_any(JINJAS_FILTERS[name]) for name in ("dictsort", "length")},
    **{name: _of_any_in(JINJAS_FILTERS[name]) for name in ("first", "last", "sort")},
    "abs": abs,
    "default": JINJAS_FILTERS["default"],
    "join": _join,
    "money": money,
    "replace": _replace,
    "reverse": _reverse,
    "round": _round,
    "truncate": _truncate,
}
FILTERS: Final = {**ALLOWED, LOOPED: _looped, MEASURED: _measured, CONCAT: _concat}

LISTS: Final = frozenset({"dictsort", "reverse", "sort"})
"""Filters that a loop may go over."""


def _sequence(value: object) -> bool:
    """As Jinja's own for what JSON has; that one finds out by an exception, at 2 µs each."""
    return isinstance(value, (str, list, tuple, dict))


TESTS: Final = {
    **{
        name: JINJAS_TESTS[name]
        for name in (
            "boolean", "defined", "divisibleby", "even", "false", "float", "integer", "mapping",
            "none", "number", "odd", "string", "true", "undefined",
        )
    },
    "sequence": _sequence,
}  # fmt: skip
