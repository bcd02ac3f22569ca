"""The checker's SQL: one statement, or several with a semicolon after each, per file of sql/."""

from functools import lru_cache
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).with_name("sql")


@lru_cache
def statements(name: str) -> tuple[str, ...]:
    """The statements of sql/`name`.sql without comments."""
    lines = (DIRECTORY / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
    return tuple(part.strip() for part in text.split(";\n") if part.strip(" \n;"))


def statement(name: str) -> str:
    """The one statement of a file."""
    (only,) = statements(name)
    return only.rstrip("; \n")
