"""Who follows a link or loads a picture: a person, or which kind of machine. Pure.

A guess, and a careful one: what is not known for a machine counts as a person, and every event is
kept with the reason beside it, so whoever disagrees can count anew. An open through the picture
proxies of Gmail or Yahoo is a person's: they fetch when the mail is looked at. Apple's privacy
proxy fetches whether anybody looks or not, so its opens tell nothing; clicks never come from it.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final, Literal, NamedTuple

AT_ONCE: Final = 1.5
"""Seconds after the send within which nobody has read anything yet."""

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    reason: tuple(words)
    for reason, words in tomllib.loads((files("api") / "agents.toml").read_text()).items()
}
_PREFETCH: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_AHEAD: Final = ("prefetch", "prerender", "preview")
_APPLE: Final = "Mozilla/5.0"
"""The whole of what Apple Mail Privacy Protection says it is."""

_MOST: Final = 1_000


class Hit(NamedTuple):
    """One request for a link's token. `trap`: the link is in no place where people see it. `age`:
    seconds since the message left. Header names are lower case."""

    kind: Literal["click", "open"]
    method: str
    headers: Mapping[str, str]
    age: float
    trap: bool = False


def bot_reason(hit: Hit) -> str:
    """Why it is a machine's: `honeypot`, `head`, `prefetch`, `apple_mpp`, `preview`, `scanner`,
    `monitor`, `library`, `no_agent`, `too_fast`; empty for a person's. The surest one counts."""
    if hit.trap:
        return "honeypot"
    if hit.method == "HEAD":
        return "head"
    if any(_ahead(hit.headers.get(name, "")) for name in _PREFETCH):
        return "prefetch"
    if reason := _program(hit.kind, hit.headers.get("user-agent", "")):
        return reason
    return "too_fast" if hit.age <= AT_ONCE else ""


def _ahead(value: str) -> bool:
    lower = value[:_MOST].lower()
    return any(word in lower for word in _AHEAD)


def _program(kind: str, agent: str) -> str:
    agent = agent[:_MOST].strip()
    if not agent:
        return "no_agent"
    if agent == _APPLE:
        return "apple_mpp" if kind == "open" else "scanner"
    lower = agent.lower()
    for reason, words in _WORDS.items():
        if any(word in lower for word in words):
            return reason
    return ""
