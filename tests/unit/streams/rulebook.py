"""The bundled rules with something else in some places."""

import tomllib
from typing import Any

from streams.rules import BUNDLED, Rules, merged, parsed


def rules_with(**tables: Any) -> Rules:
    """As a shop's own file would lay these over."""
    return parsed(merged(tomllib.loads(BUNDLED.read_text()), tables))
