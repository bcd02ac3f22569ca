"""Origins of web pages (RFC 6454), as browsers send them: so comparing text suffices."""

import re
from typing import Final
from urllib.parse import urlsplit

_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([1-9]\d{0,4}))?/?")
_PORTS: Final = {"http": "80", "https": "443"}

LOOPBACK: Final = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
"""Pages of the very machine that their reader sits at."""


def parse(text: str) -> tuple[str, ...]:
    """``https://a,https://b:8443`` one by one. Raises ValueError saying which is none and why."""
    return tuple(_one(entry.strip()) for entry in text.split(",") if entry.strip())


def of_url(url: str) -> str:
    """The origin of what is at a URL."""
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc}".removesuffix(f":{_PORTS.get(parts.scheme)}")


def _one(entry: str) -> str:
    found = _ORIGIN.fullmatch(entry.lower())
    if found is None or int(found[3] or 0) > 65_535:
        raise ValueError(f"{entry!r} is no origin: scheme and host as in https://shop.example:8443")
    return of_url(found[0].removesuffix("/"))
