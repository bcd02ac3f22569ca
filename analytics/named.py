"""Named queries: analytics/queries/<name>.sql, one statement each, parameters as {name:Type}."""

from functools import lru_cache
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).parent / "queries"


def names() -> list[str]:
    """Every query there is."""
    return sorted(path.stem for path in DIRECTORY.glob("*.sql"))


@lru_cache
def query(name: str) -> str:
    """The query's text without its comments. Raises `KeyError` for an unknown name."""
    path = DIRECTORY / f"{name}.sql"
    if name not in names():
        raise KeyError(name)
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--")).strip().rstrip(";")
