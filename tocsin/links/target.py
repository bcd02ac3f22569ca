"""Where a link leads: what may be a target, how it is kept short, and what is told of it. Pure."""

from typing import Final
from urllib.parse import quote, urlsplit

MOST_CHARACTERS: Final = 1_000
"""A longer target is not tracked: its link would outgrow what inboxes and phones hold."""

_ASIDE: Final = "".join(map(chr, range(0x21, 0x7F))).translate(dict.fromkeys(b'"<>\\^`{|}'))
"""What stays as it is in a Location; spaces, other alphabets and what no URL has are quoted."""


def is_web(url: str) -> bool:
    """Whether this may be the target of a link: http or https, with a host, in one line."""
    if not url.startswith(("https://", "http://")) or not url.isprintable():
        return False
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def shortened(url: str, public: str) -> str:
    """Without our own address before it, so that a token stays short; others as they are."""
    rest = url[len(public) :]
    return rest if url.startswith(public) and rest[:1] == "/" else url


def lengthened(text: str, public: str) -> str:
    """The whole address again. A path is one of ours: it can lead to no other host."""
    return public + text if text.startswith("/") else text


def location(url: str) -> str:
    """`url` as a header may have it, in ASCII."""
    if url.isascii():
        return quote(url, safe=_ASIDE)
    parts = urlsplit(url)
    host = parts.netloc
    if not host.isascii():
        host = _ascii(host)
    return quote(parts._replace(netloc=host).geturl(), safe=_ASIDE)


def told(url: str) -> str:
    """What the books keep of a target: no query, fragment, user or password; they name people."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _ascii(netloc: str) -> str:
    before, at, host = netloc.rpartition("@")
    name, colon, port = host.partition(":")
    try:
        return f"{before}{at}{name.encode('idna').decode()}{colon}{port}"
    except UnicodeError:
        return netloc  # quoted, then: it leads nowhere, as it did before
