"""What a template may say: the request's data, the person's name, and links. Pure."""

from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any, Final
from urllib.parse import quote

from tocsin.links import Unsubscribe, seal
from tocsin.records import Delivery, Profile
from tocsin.settings import Settings

_ALIASES: Final = (
    ("order", ("order_id", "invoice")),
    ("product", ("sku",)),
    ("complaint", ("complaint_id",)),
    ("title", ("subject",)),
    ("body", ("message", "text")),
    ("response", ("body",)),
    ("summary", ("body",)),
)
"""Names producers use for the same thing, tried in order where the first is missing."""

_SYMBOLS: Final = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}


class Context:
    """Builds a template's variables for one installation: its shop's name, its public address."""

    def __init__(self, settings: Settings) -> None:
        self._public = settings.public_url.rstrip("/")
        self._secret = settings.jwt_secret.get_secret_value()
        self._shop = parseaddr(settings.smtp.sender)[0] or "The shop"

    def of(self, delivery: Delivery, profile: Profile) -> dict[str, Any]:
        """The variables of one delivery. What Tocsin knows wins over what the data claims, but for
        `name`: an order may be addressed to someone else."""
        link = self._link(delivery.data)
        unsubscribe = ""
        if delivery.category == "promotional":
            who = Unsubscribe(delivery.user_id, delivery.category, delivery.channel.value)
            unsubscribe = f"{self._public}/u/{seal(self._secret, who)}"
        words = delivery.type.replace("_", " ").capitalize()
        own = {"type": delivery.type, "type_words": words, "link": link, "unsubscribe": unsubscribe}
        return self.completed({"name": profile.name or ""} | delivery.data | own)

    def completed(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The same variables, each also under the name the templates use, and the shop's."""
        for name, others in _ALIASES:
            if name not in variables:
                for other in others:
                    if other in variables:
                        variables[name] = variables[other]
                        break
        variables["shop"] = self._shop
        return variables

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


def money(amount: object, currency: object = "") -> str:
    """`£139.12` for ("139.12", "GBP"); a currency without a symbol here stays a word."""
    if isinstance(amount, float):
        amount = f"{amount:.2f}"
    if symbol := _SYMBOLS.get(str(currency)):
        return f"{symbol}{amount}"
    return f"{amount} {currency}".rstrip()
