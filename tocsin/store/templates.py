"""Templates in Redis: the view of the ``templates`` topic that senders read."""

import logging
from collections.abc import Sequence

from redis.asyncio import Redis

from tocsin.errors import Invalid, StoreEmptied
from tocsin.records import Template, decode_internal, encode
from tocsin.store import keys
from tocsin.store.client import raw, script

log = logging.getLogger(__name__)


class Templates:
    """All in one hash, their revisions in another, so that no script has to read the JSON."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._put = script(client, "template_put")
        self._delete = script(client, "template_delete")

    async def get_many(self, template_ids: Sequence[str]) -> list[Template | None]:
        """One HMGET; a place holds None where there is none, or one that cannot be read: it must
        not stop the others. Raises `StoreEmptied` where one is missing for that."""
        if not template_ids:
            return []
        values = raw(await self._client.hmget(keys.TEMPLATES, list(template_ids)))
        if None in values and not await self._client.exists(keys.STORE_READY):
            raise StoreEmptied
        return [_read(value) for value in values]

    async def get(self, template_id: str) -> Template | None:
        """One template, also one that was deleted and has no versions; or None."""
        return (await self.get_many([template_id]))[0]

    async def all(self) -> list[Template]:
        """Every one there is, in no order. For rebuilding and for people, not for a hot path."""
        values = raw(await self._client.hvals(keys.TEMPLATES))
        return [template for value in values if (template := _read(value))]

    async def put(self, template: Template) -> bool:
        """Store it if its revision is newer than the stored one's. Whether it was.

        Two who changed the same revision at once both bring the next one: one of them is stored.
        """
        names = [keys.TEMPLATES, keys.TEMPLATE_REVISIONS]
        args: list[str | int | bytes] = [template.template_id, template.revision, encode(template)]
        return bool(await self._put(keys=names, args=args))

    async def delete(self, template_id: str) -> bool:
        """Forget it altogether (a tombstone). True if there was one."""
        names = [keys.TEMPLATES, keys.TEMPLATE_REVISIONS]
        return bool(await self._delete(keys=names, args=[template_id]))


def _read(value: bytes | None) -> Template | None:
    if not value:
        return None
    try:
        return decode_internal(Template, value)
    except Invalid as error:
        log.error("a template in the store cannot be read: %s", error)
        return None
