"""Stock changes, for shops that do not write to Kafka themselves."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Response

from api.batch import ItemResult, Results, each, refused, results
from api.call import Call, answer, service
from api.schema import described
from tocsin.errors import TocsinError
from tocsin.records import InventoryChange, encode
from tocsin.topics import INVENTORY

router = APIRouter(tags=["inventory"])

Writer = Annotated[Call, Depends(service("inventory:write"))]


class Changes(msgspec.Struct):
    """Up to 1,000 changes, in order."""

    changes: list[InventoryChange]


class Accepted(msgspec.Struct):
    """The change is kept, and will be applied."""

    event_id: str


@router.post("/v1/inventory", **described(InventoryChange, Accepted, 202, ["inventory:write"]))
async def report_stock(call: Writer) -> Response:
    """One stock change. Reported again (same `event_id`) it changes nothing."""
    change = await call.body(InventoryChange)
    await call.services.publish.one(INVENTORY, change.sku, encode(change))
    return answer(Accepted(change.event_id), 202)


@router.post("/v1/inventory:batch", **described(Changes, Results, 202, ["inventory:write"]))
async def report_stock_changes(call: Writer) -> Response:
    """Up to 1,000 stock changes; each has its own result (202, 422)."""
    found = each(InventoryChange, await call.raw(), "changes")
    right = [change for change in found if isinstance(change, InventoryChange)]
    await call.services.publish.many(INVENTORY, [(c.sku, encode(c)) for c in right])
    return answer(results(_result(change) for change in found), 202)


def _result(change: InventoryChange | TocsinError) -> ItemResult:
    if isinstance(change, TocsinError):
        return refused(change)
    return ItemResult(202, change.event_id)
