"""Manifests as text: the little of YAML that they need, always written the same way. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def text(body: Any) -> str:
    """A mapping or a list as a YAML document. Strings are quoted as JSON does, which YAML reads."""
    return "\n".join(_lines(body, "")) + "\n"


def _lines(body: Any, indent: str) -> Iterator[str]:
    if isinstance(body, Mapping):
        for key, value in body.items():
            if _leaf(value):
                yield f"{indent}{_word(key)}: {_scalar(value)}"
            else:
                yield f"{indent}{_word(key)}:"
                yield from _lines(value, indent + "  ")
        return
    for item in body:
        if _leaf(item):
            yield f"{indent}- {_scalar(item)}"
            continue
        first, *rest = _lines(item, indent + "  ")
        yield f"{indent}- {first.lstrip()}"
        yield from rest


def _leaf(value: Any) -> bool:
    return isinstance(value, str) or not isinstance(value, Mapping | Sequence) or not value


def _scalar(value: Any) -> str:
    return _word(value) if isinstance(value, str) else json.dumps(value)


def _word(value: str) -> str:
    """Bare only where no reader can take it for anything else."""
    plain = value.replace("-", "").replace("_", "").replace("/", "").replace(".", "")
    bare = plain.isalnum() and value[0].isalpha() and value.lower() not in _TAKEN
    return value if bare else json.dumps(value)


_TAKEN = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def cpu(cores: float) -> str:
    """Cores as a quantity."""
    return f"{round(cores * 1000)}m"


def mebibytes(size: int) -> str:
    """Bytes as a quantity, of which they are a multiple."""
    return f"{size >> 20}Mi"


def gibibytes(size: int) -> str:
    """Bytes as a quantity, of which they are a multiple."""
    return f"{size >> 30}Gi"
