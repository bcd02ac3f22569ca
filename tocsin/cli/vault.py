"""The secrets of an installation: those set by the operator, else made once and kept."""

import json
import secrets
from collections.abc import Mapping
from typing import Final

from tocsin.cli.home import Home, write_private
from tocsin.errors import ConfigError

CLICKHOUSE_PASSWORD: Final = "clickhouse_password"  # noqa: S105 the name of one
_KEPT: Final = ("TOCSIN_JWT_SECRET", "TOCSIN_OTP_SECRET", CLICKHOUSE_PASSWORD)


def secrets_of(home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """Every secret by name; `environ` wins. Raises `ConfigError` when the kept file is unreadable:
    making new ones would turn every issued token and pending OTP invalid behind one's back."""
    kept = _read(home)
    missing = [name for name in _KEPT if name not in kept]
    if missing:
        kept |= {name: secrets.token_urlsafe(32) for name in missing}
        write_private(home.secrets, kept)
    return kept | {name: environ[name] for name in _KEPT if environ.get(name)}


def _read(home: Home) -> dict[str, str]:
    if not home.secrets.exists():
        return {}
    try:
        kept = json.loads(home.secrets.read_text())
        return {name: str(kept[name]) for name in _KEPT if name in kept}
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{home.secrets} cannot be read ({type(error).__name__}): restore it, "
            "or delete it to make new secrets (issued tokens end with the old ones)"
        ) from None
