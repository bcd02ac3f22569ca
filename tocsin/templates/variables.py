"""Whether a request's data fits what a version declares. Compiled once, run per request."""

from collections.abc import Mapping
from typing import Any, Final

from tocsin.errors import Invalid
from tocsin.records import Variable

BUILT_IN: Final = frozenset({"name", "type", "type_words", "link", "unsubscribe", "shop"})
"""What every template may say without declaring it (context.py)."""

_NUMBERS: Final = frozenset({int, float})
_TYPES: Final[dict[str, frozenset[type]]] = {
    # an order's number is often sent as a number, and is said the same
    "string": frozenset({str, int, float}),
    "integer": frozenset({int}),
    "number": _NUMBERS,
    "boolean": frozenset({bool}),
    "list": frozenset({list, tuple}),
    "object": frozenset({dict}),
    "any": frozenset({str, int, float, bool, list, tuple, dict}),
}
_SAID: Final = {
    str: "a string", int: "a number", float: "a number", bool: "a boolean", list: "a list",
    tuple: "a list", dict: "an object",
}  # fmt: skip


class Checks:
    """The declared variables of one version as one pass over the data.

    A null is as good as nothing: it is missing. What is not declared may be there and is not used.
    """

    def __init__(self, variables: Mapping[str, Variable], whose: str = "the template") -> None:
        self._whose = whose
        self._rules = [
            (name, (name, *variable.aliases), _TYPES[variable.type], variable)
            for name, variable in variables.items()
        ]
        self._aliases = [(name, v.aliases) for name, v in variables.items() if v.aliases]

    def __call__(self, data: Mapping[str, Any]) -> None:
        """Raises `Invalid`, its field being ``data.<name>``."""
        for name, names, types, variable in self._rules:
            for each in names:
                if (value := data.get(each)) is not None:
                    if type(value) not in types:
                        raise Invalid(f"data.{each}", self._wrong(variable, value))
                    break
            else:
                if variable.required:
                    raise Invalid(f"data.{name}", self._missing(variable))

    def name(self, variables: dict[str, Any]) -> None:
        """Put what came under an alias under the variable's own name as well."""
        for name, aliases in self._aliases:
            if name not in variables:
                for alias in aliases:
                    if alias in variables:
                        variables[name] = variables[alias]
                        break

    def _missing(self, variable: Variable) -> str:
        other = f" (or {', '.join(variable.aliases)})" if variable.aliases else ""
        return f"is missing{other}: {self._whose} cannot be filled without it"

    def _wrong(self, variable: Variable, value: object) -> str:
        found = _SAID.get(type(value), type(value).__name__)
        wanted = {"integer": "an integer", "object": "an object"}.get(
            variable.type, f"a {variable.type}"
        )
        return f"is {found}, and {self._whose} wants {wanted}"
