"""Questions analysts ask, by name: one .sql file each, beside this one.

A file opens with comment lines: first what is asked, in a sentence or more; then each parameter as
``-- name: Type = default, what it is``. In the statement it is ``{name:Type}``.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from tocsin.errors import Invalid

DIRECTORY: Final = Path(__file__).parent
LONGEST_HOURS: Final = 9_504
"""13 months of 31 days bar some: as long as anything is kept."""

_PARAMETER: Final = re.compile(r"-- (\w+): (UInt32|Float64|String) = ([^,]*), (.+)")
_LIMITS: Final = {"hours": (1, LONGEST_HOURS)}

Value = int | float | str


class Parameter(NamedTuple):
    """One parameter; `type` is ClickHouse's."""

    name: str
    type: str
    default: Value
    about: str

    def read(self, text: str) -> Value:
        """A value as somebody typed it. Raises `Invalid` naming the parameter."""
        if self.type == "String":
            return text
        try:
            found = int(text) if self.type == "UInt32" else float(text)
        except ValueError:
            kind = "a whole number" if self.type == "UInt32" else "a number"
            raise Invalid(self.name, f"must be {kind}, not {text!r}") from None
        least, most = _LIMITS.get(self.name, (0, 2**32 - 1))
        if not least <= found <= most:  # nor is NaN
            raise Invalid(self.name, f"must be from {least:,} to {most:,}")
        return found


class Question(NamedTuple):
    """A named question; `sql` is one statement without comments."""

    name: str
    about: str
    parameters: tuple[Parameter, ...]
    sql: str

    def given(self, values: Mapping[str, str]) -> dict[str, Value]:
        """Every parameter's value: what was said, else its default. Raises `Invalid` for one that
        is not this question's, naming those that are, and for a value it cannot take."""
        known = {each.name: each for each in self.parameters}
        for name in values:
            if name not in known:
                those = ", ".join(known) or "none"
                raise Invalid(name, f"is no parameter of {self.name}; it has {those}")
        return {
            name: each.read(values[name]) if name in values else each.default
            for name, each in known.items()
        }


@cache
def questions() -> Mapping[str, Question]:
    """Every question by its name, in the order of names."""
    paths = sorted(DIRECTORY.glob("*.sql"))
    return {path.stem: parsed(path.stem, path.read_text(encoding="utf-8")) for path in paths}


def parsed(name: str, text: str) -> Question:
    """A file's question."""
    about, parameters, sql = [], [], []
    for line in text.splitlines():
        if found := _PARAMETER.fullmatch(line):
            what, kind, default, said = found.groups()
            parameter = Parameter(what, kind, "", said)
            parameters.append(parameter._replace(default=parameter.read(default)))
        elif line.startswith("--"):
            about.append(line.removeprefix("--").strip())
        else:
            sql.append(line)
    return Question(name, " ".join(about), tuple(parameters), "\n".join(sql).strip().rstrip(";"))
