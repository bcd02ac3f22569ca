"""What a template may say: the request's data, the person's name, and links. Pure but for the
clock: a link knows when its message left, for who follows it at once is a machine.
"""

from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup

from tocsin.clock import Clock, SystemClock
from tocsin.links import Purpose, Seals, Sent
from tocsin.links.sent import pack
from tocsin.links.target import MOST_CHARACTERS, is_web, shortened
from tocsin.records import Channel, Delivery, Profile
from tocsin.records.notification import SECURITY
from tocsin.settings import Settings
from tocsin.templates.built_in import DIGEST, OTP

TARGET: Final = "tocsin_target"
"""Where `link` leads in the end."""

BEACONS: Final = "tocsin_beacons"
"""At the end of a mail: a picture of one dot, which tells that it was opened, and a link that no
person sees; whoever follows it is a machine."""

_BEACONS: Final = (Path(__file__).parent / "layout" / "email.beacons.html").read_text()


class Context:
    """Builds a template's variables for one installation: its shop's name, its public address."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._public = settings.public_url.rstrip("/")
        self._seals, self._tracked = Seals(settings), settings.tracked()
        self._clock: Clock = clock or SystemClock()
        self._shop = parseaddr(settings.smtp.sender)[0] or "The shop"

    def of(self, delivery: Delivery, profile: Profile) -> dict[str, Any]:
        """The variables of one delivery. What Tocsin knows wins over what the data claims, but for
        `name`: an order may be addressed to someone else."""
        found = {"name": profile.name or ""} | _there(delivery.data)
        if delivery.category == SECURITY or delivery.type == OTP:
            return found | self._own(delivery.type, "")
        own = self._own(delivery.type, self._target(delivery.data))
        if delivery.channel in self._tracked:
            found |= self._track(delivery, found, own)
        if delivery.category == "promotional" and self._seals.able:
            own["unsubscribe"] = self._unsubscribe(delivery)
        return found | own

    def bare(self, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of a preview. Nobody got it, so nothing of it is counted."""
        return {"name": ""} | _there(data) | self._own(kind, self._target(data))

    def code(self, code: str, minutes: int) -> dict[str, Any]:
        """A one-time code's variables: no link, or people would learn to follow one."""
        return {"name": "", "code": code, "minutes": minutes} | self._own(OTP, "")

    def _own(self, kind: str, target: str) -> dict[str, Any]:
        return {
            "type": kind,
            "type_words": kind.replace("_", " ").capitalize(),
            "link": target,
            TARGET: target,
            "unsubscribe": "",
            "shop": self._shop,
            BEACONS: "",
        }

    def _track(
        self, delivery: Delivery, data: Mapping[str, Any], own: dict[str, Any]
    ) -> dict[str, Any]:
        """Puts tracked links into `own`; what of the data has links of its own, tracked too."""
        sent = self._sent(delivery)
        if len(target := own[TARGET]) <= MOST_CHARACTERS:
            payload = pack(sent, shortened(target, self._public))
            own["link"] = self._address("c", Purpose.CLICK, payload)
            if delivery.channel is Channel.EMAIL:
                own[BEACONS] = self._beacons(payload)
        if delivery.type == DIGEST and isinstance(items := data.get("items"), list):
            return {"items": [self._line(sent, item) for item in items]}
        return {}

    def _beacons(self, payload: bytes) -> Markup:
        trap = self._address("c", Purpose.TRAP, payload)
        pixel = self._address("o", Purpose.OPEN, payload)
        return Markup(_BEACONS.format(trap=trap, pixel=f"{pixel}.gif"))  # noqa: S704  all ours

    def _line(self, sent: Sent, item: Any) -> Any:
        """A digest's entry: its link is one of the digest's."""
        url = item.get("url") if isinstance(item, dict) else None
        if not isinstance(url, str) or len(url) > MOST_CHARACTERS or not is_web(url):
            return item
        payload = pack(sent, shortened(url, self._public))
        return item | {"url": self._address("c", Purpose.CLICK, payload)}

    def _unsubscribe(self, delivery: Delivery) -> str:
        payload = pack(self._sent(delivery), delivery.category)
        return self._address("u", Purpose.UNSUBSCRIBE, payload)

    def _sent(self, delivery: Delivery) -> Sent:
        return Sent(
            delivery.notification_id, delivery.user_id, delivery.channel, delivery.type,
            self._clock.now(),
        )  # fmt: skip

    def _address(self, way: str, purpose: Purpose, payload: bytes) -> str:
        return f"{self._public}/{way}/{self._seals.seal(purpose, payload)}"

    def _target(self, data: Mapping[str, Any]) -> str:
        """The data's own `url` if it is one; else the thing's place in the shop."""
        url = data.get("url")
        if isinstance(url, str) and is_web(url):
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
