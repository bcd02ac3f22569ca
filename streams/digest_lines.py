"""What was collected, in the words it would have been told in: a digest's lines."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from tocsin.errors import SendError
from tocsin.records import Channel, Delivery, Profile
from tocsin.store import Templates
from tocsin.templates import Renderer, versions_of

BODY: Final = 500
"""Characters of a body that a digest quotes."""

URL: Final = 2_000
"""Characters of a link; a longer one is left out."""


class DigestLines:
    """Renders with the in-app words, which are short; what has none is named by its type."""

    def __init__(self, renderer: Renderer, templates: Templates) -> None:
        self._renderer, self._templates = renderer, templates

    async def __call__(self, collected: Sequence[tuple[Delivery, Profile]]) -> list[dict[str, str]]:
        """`title`, `body` and `url` of each. Raises what Redis raises."""
        await self._renderer.load(self._templates, versions_of(d for d, _ in collected))
        return [self._line(delivery, profile) for delivery, profile in collected]

    def _line(self, delivery: Delivery, profile: Profile) -> dict[str, str]:
        words = delivery.type.replace("_", " ").capitalize()
        try:
            said = self._renderer.render(replace(delivery, channel=Channel.INAPP), profile)
        except SendError:
            return {"title": words, "body": "", "url": ""}
        body = said.body if len(said.body) <= BODY else said.body[: BODY - 1] + "…"
        # where it leads, not by way of us: the digest counts its own links
        url = said.target if len(said.target) <= URL else ""
        return {"title": said.title or words, "body": body, "url": url}
