"""One-click unsubscribe: what a link means, what it changes, and the page around it. Pure."""

from datetime import datetime
from email.utils import parseaddr
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from msgspec.structs import replace

from api.people import known
from tocsin.errors import Invalid, Refused
from tocsin.ids import derived_id
from tocsin.links import Purpose, Seals, Unsubscribe
from tocsin.links.seals import not_ours
from tocsin.links.unsubscribe import open_first_kind
from tocsin.records import Channel, Engagement, Profile
from tocsin.settings import Settings

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
"""The address is a key to somebody's preferences: nobody keeps it, nobody is told of it."""

_PAGE: Final = Template((files("api") / "web" / "unsubscribe.html").read_text())
_BUTTON: Final = (
    '<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button>'
    "</form>"
)
_MESSAGES: Final = {
    "promotional": "offers and news",
    "stock": "back-in-stock alerts",
    "transactional": "messages about orders",
}
_WAYS: Final = {
    Channel.EMAIL: "by email",
    Channel.SMS: "by text message",
    Channel.PUSH: "as push notifications",
    Channel.INAPP: "in the shop's inbox",
}


def link(settings: Settings, token: str) -> Unsubscribe:
    """What a token says. Raises `Refused` ("not_found") for any that was not made here.

    Without a secret nobody can tell ours from a made-up one, so none is taken.
    """
    try:
        found = Seals(settings).open(Purpose.UNSUBSCRIBE, token, None)
    except Refused:
        return _first_kind(settings, token)
    sent = found.sent
    return Unsubscribe(
        sent.user_id, found.text, sent.channel.value, sent.notification_id, sent.type
    )


def _first_kind(settings: Settings, token: str) -> Unsubscribe:
    secrets = (settings.link_secret(), *settings.old_link_secrets())
    try:
        found = open_first_kind(secrets, token)
        Channel(found.channel)
    except (Invalid, ValueError):
        raise not_ours() from None
    return found


class Muting:
    """A step for `People.change`: one category is off on one channel."""

    def __init__(self, what: Unsubscribe) -> None:
        self._what, self._channel = what, Channel(what.channel)

    def __call__(self, before: Profile | None) -> Profile:
        """The profile to have. Raises `Refused` for somebody unknown."""
        there = known(before, self._what.user_id)
        preferences = there.preferences
        off = preferences.muted.get(self._what.category, ())
        if self._channel in off:
            return there
        muted = preferences.muted | {self._what.category: (*off, self._channel)}
        return replace(there, preferences=replace(preferences, muted=muted))


def event(what: Unsubscribe, now: datetime) -> Engagement:
    """What the books are told. However often the button is pressed, it is one event."""
    parts = (what.notification_id, what.channel, what.category)
    return Engagement(
        event_id=derived_id("unsubscribe", *parts),
        kind="unsubscribe",
        notification_id=what.notification_id,
        user_id=what.user_id,
        at=now,
        channel=what.channel,
        type=what.type,
    )


def question(settings: Settings, what: Unsubscribe) -> str:
    """The page a link opens: looking changes nothing, the button does."""
    text = f"You will no longer get {_described(what)}. Everything else still reaches you."
    return _page(settings, "Unsubscribe?", text, _BUTTON)


def expired(settings: Settings) -> str:
    """For a link that is ours and too old."""
    text = "It is too old. What it led to is to be found in the shop."
    return _page(settings, "This link no longer works", text)


def done(settings: Settings, what: Unsubscribe) -> str:
    """The same for everybody, so that it tells nothing about anyone."""
    text = f"No more {_described(what)}. You can change this any time in the shop's settings."
    return _page(settings, "You are unsubscribed", text)


def broken(settings: Settings) -> str:
    """For a link that is not ours."""
    text = "It may have been cut in two: please open it from the message again."
    return _page(settings, "This link does not work", text)


def _described(what: Unsubscribe) -> str:
    messages = _MESSAGES.get(what.category, f"“{what.category}” messages")
    return f"{messages} {_WAYS[Channel(what.channel)]}"


def _page(settings: Settings, heading: str, text: str, button: str = "") -> str:
    shop = parseaddr(settings.smtp.sender)[0] or "The shop"
    return _PAGE.substitute(
        heading=escape(heading), text=escape(text), shop=escape(shop), button=button
    )
