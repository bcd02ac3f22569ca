"""Stock worked out anew from the log, beside the stock that is there, by the very same script."""

from collections.abc import Sequence

from redis.asyncio import Redis

from tocsin.records import InventoryChange
from tocsin.store import keys
from tocsin.store.client import script
from tocsin.store.subscriptions import restock_args
from tocsin.store.traces import Traces
from tocsin.store.view import kept


class ShadowStock:
    """The stock of one rebuild. Nobody waits for a shadow, so nothing fires."""

    def __init__(self, client: Redis, rebuild: str) -> None:
        self._client, self._rebuild = client, rebuild
        self._restock = script(client, "restock")
        self._adopt = script(client, "stock_adopt")

    async def clear(self) -> None:
        """Remove the shadows of rebuilds that died."""
        await Traces(self._client).remove([keys.SHADOWS])

    async def apply(self, changes: Sequence[InventoryChange]) -> None:
        """Apply changes in order, in one pipeline. Raises `StoreEmptied` if the lease is lost."""
        async with self._client.pipeline(transaction=False) as pipe:
            for change in changes:
                names = [*self._names(change.sku), keys.STORE_REBUILD]
                await self._restock(keys=names, args=restock_args(change, False), client=pipe)
            for applied, *_ in await pipe.execute():
                kept(applied)

    async def adopt(self, skus: Sequence[str]) -> int:
        """Make the shadows of these SKUs their stock, where there is none that lived through
        everything; how many. Raises `StoreEmptied` if the lease is lost."""
        names = [keys.STORE_REBUILD, keys.STORE_READY]
        for sku in skus:
            names += (*self._names(sku)[:2], keys.stock(sku), keys.stock_events(sku))
        return kept(await self._adopt(keys=names, args=[self._rebuild]))

    def _names(self, sku: str) -> list[str]:
        base = keys.shadow_stock(self._rebuild, sku)
        return [base, f"{base}:events", f"{base}:waiting", f"{base}:firing"]
