"""Changing templates: the view under a revision first, then the log, then the answer.

The view first, as with people: a version must be there for the senders before anybody can choose
it, and everybody chooses by the log. Two who change a template at once bring the same revision, and
the view takes one of them. The log may get revisions in the wrong order; so whoever has written
looks again, and writes the newer state, too.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from api.publish import Publish
from tocsin.errors import Refused
from tocsin.records import Template, encode
from tocsin.store import Templates
from tocsin.templates import Catalogue
from tocsin.templates.catalogue import newest
from tocsin.topics import TEMPLATES

_TRIES: Final = 20

Step = Callable[[Template | None], Template]
"""From the template as it is (None: there never was one) to what it shall be. May run again."""


class Wording:
    """Every change of a template goes through here."""

    def __init__(self, templates: Templates, catalogue: Catalogue, publish: Publish) -> None:
        self._templates, self._catalogue, self._publish = templates, catalogue, publish

    async def get(self, template_id: str) -> Template | None:
        """As it is now. The catalogue may be behind the view by a moment, and the view behind the
        catalogue after the store was lost."""
        return newest(await self._templates.get(template_id), self._catalogue.get(template_id))

    async def change(self, template_id: str, step: Step, now: datetime) -> Template:
        """Apply the step; in the view, in the log and in force here when it returns.

        What a step left as it was is written again all the same: an earlier attempt may have died
        between the view and the log, and this is its retry. Whatever the step raises passes
        through; raises `Refused` ("busy") when others are faster all the time.
        """
        for _ in range(_TRIES):
            before = await self.get(template_id)
            after = step(before)
            if after != before:
                revision = (before.revision if before else 0) + 1
                after = replace(after, revision=revision, updated_at=now)
                if not await self._templates.put(after):
                    continue
            else:
                # where the store was lost, the view has it again by this
                await self._templates.put(after)
            await self._log(after)
            return after
        raise Refused("busy", f"template {template_id!r} is being changed by many at once", 1)

    async def _log(self, template: Template) -> None:
        written: Template | None = template
        while written:
            key = written.template_id
            await self._publish.one(TEMPLATES, key, encode(written))
            self._catalogue.put(written)
            now = await self._templates.get(key)
            written = now if now and now.revision > written.revision else None
