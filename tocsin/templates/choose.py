"""Choosing words for a batch of requests, with the store asked about what is news here."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from tocsin.errors import Invalid
from tocsin.store.templates import Templates
from tocsin.templates.catalogue import Catalogue
from tocsin.templates.version import Chosen

_WHICH: Final = ("template_id", "template_version")


class Wanted(NamedTuple):
    """What a request says of its words; `kind` is its type."""

    kind: str
    template_id: str | None
    template_version: int | None
    data: Mapping[str, Any]


class Choose:
    """`Catalogue.choose` for many.

    A template may have been made in another process a moment ago, its record on the way to this
    one's catalogue. The store has it already (a change is in the view before it is in the log), so
    what the catalogue does not know is looked up there, in one call, before it is refused.
    """

    def __init__(self, catalogue: Catalogue, templates: Templates) -> None:
        self._catalogue, self._templates = catalogue, templates

    async def many(self, wanted: Sequence[Wanted]) -> list[Chosen | Invalid]:
        """The words of each request, or why it can have none. Raises what Redis raises."""
        found = [self._one(each) for each in wanted]
        news = {
            each.template_id or each.kind
            for each, chosen in zip(wanted, found, strict=True)
            if isinstance(chosen, Invalid) and chosen.field in _WHICH
        }
        if news and await self._learn(sorted(news)):
            return [self._one(each) for each in wanted]
        return found

    async def one(self, wanted: Wanted) -> Chosen:
        """The words of one request. Raises `Invalid`, and what Redis raises."""
        (found,) = await self.many([wanted])
        if isinstance(found, Invalid):
            raise found
        return found

    def _one(self, wanted: Wanted) -> Chosen | Invalid:
        try:
            return self._catalogue.choose(*wanted)
        except Invalid as error:
            return error

    async def _learn(self, template_ids: Sequence[str]) -> bool:
        templates = await self._templates.get_many(template_ids)
        taken = [self._catalogue.put(template) for template in templates if template]
        return any(taken)
