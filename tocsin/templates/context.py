"""What a template may say: the request's data, the person's name, and links. Pure."""

from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any
from urllib.parse import quote

from tocsin.links import Unsubscribe, seal
from tocsin.records import Delivery, Profile
from tocsin.settings import Settings


class Context:
    """Builds a template's variables for one installation: its shop's name, its public address."""

    def __init__(self, settings: Settings) -> None:
        self._public = settings.public_url.rstrip("/")
        self._secret = settings.link_secret()
        self._shop = parseaddr(settings.smtp.sender)[0] or "The shop"

    def of(self, delivery: Delivery, profile: Profile) -> dict[str, Any]:
        """The variables of one delivery. What Tocsin knows wins over what the data claims, but for
        `name`: an order may be addressed to someone else."""
        link = self._link(delivery.data)
        unsubscribe = ""
        if delivery.category == "promotional":
            who = Unsubscribe(delivery.user_id, delivery.category, delivery.channel.value)
            unsubscribe = f"{self._public}/u/{seal(self._secret, who)}"
        own = self._own(delivery.type, link, unsubscribe)
        return {"name": profile.name or ""} | _there(delivery.data) | own

    def bare(self, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of a message without a delivery: a one-time code's, and a preview's."""
        return {"name": ""} | _there(data) | self._own(kind, self._link(data), "")

    def code(self, code: str, minutes: int) -> dict[str, Any]:
        """A one-time code's variables: no link, or people would learn to follow one."""
        return {"name": "", "code": code, "minutes": minutes} | self._own("OTP", "", "")

    def _own(self, kind: str, link: str, unsubscribe: str) -> dict[str, Any]:
        return {
            "type": kind,
            "type_words": kind.replace("_", " ").capitalize(),
            "link": link,
            "unsubscribe": unsubscribe,
            "shop": self._shop,
        }

    def _link(self, data: Mapping[str, Any]) -> str:
        """The data's own `url` if it is one; else the thing's place in the shop."""
        url = data.get("url")
        if isinstance(url, str) and url.startswith(("https://", "http://")) and url.isprintable():
            return url
        for name in ("sku", "order", "complaint"):
            if value := data.get(name) or data.get(f"{name}_id"):
                text = str(value)
                plain = text.isascii() and text.isalnum()
                return f"{self._public}/shop?{name}={text if plain else quote(text, safe='')}"
        return f"{self._public}/shop"


def _there(data: Mapping[str, Any]) -> dict[str, Any]:
    """A null is as good as nothing: the words' own default takes its place."""
    if None in data.values():
        return {name: value for name, value in data.items() if value is not None}
    return dict(data) if not isinstance(data, dict) else data
