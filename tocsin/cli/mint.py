"""`tocsin token`: a JSON Web Token for trying things out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tocsin.errors import ConfigError
from tocsin.settings import Settings
from tocsin.tokens import SCOPES, mint

CONSOLE_SCOPES: Final = frozenset(
    {
        "stats:read", "ops:write", "notifications:read", "users:read", "templates:read",
        "broadcasts:read",
    }
)  # fmt: skip
"""What the operations console reads, and that it puts dead letters back."""

CONSOLE_HOURS: Final = 12


@dataclass(frozen=True)
class Ask:
    """Exactly one of `user` and `service`; `scopes` are a service's, all of them when empty."""

    user: str = ""
    service: str = ""
    scopes: Sequence[str] = ()
    hours: float = 12


def mint_token(settings: Settings, ask: Ask) -> str:
    """The token. Raises `ConfigError` for a wrong request."""
    if bool(ask.user) == bool(ask.service):
        raise ConfigError("say whose: either --user U or --service S")
    scopes = frozenset(word for given in ask.scopes for word in given.replace(",", " ").split())
    if unknown := sorted(scopes - SCOPES):
        raise ConfigError(f"--scope {unknown[0]}: the scopes are {', '.join(sorted(SCOPES))}")
    if ask.user:
        if scopes:
            raise ConfigError("--scope is for services: a user's token needs none")
        return mint(
            settings, subject=ask.user, kind="user", scopes=frozenset(), seconds=ask.hours * 3600
        )
    return mint(
        settings, subject=ask.service, kind="service", scopes=scopes or SCOPES,
        seconds=ask.hours * 3600,
    )  # fmt: skip


def console_address(settings: Settings) -> str:
    """The console's address with a token of its own, for CONSOLE_HOURS. It is in the fragment,
    which a browser sends nowhere; do not log it. Raises `ConfigError` where none can be minted."""
    token = mint(
        settings, subject="console", kind="service", scopes=CONSOLE_SCOPES,
        seconds=CONSOLE_HOURS * 3600,
    )  # fmt: skip
    return f"{settings.public_url.rstrip('/')}/console#token={token}"
