"""Sales, told by the shop's till: they count for the message that brought them."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Response

from api.batch import ItemResult, Results, each, placed, refused, results
from api.call import Call, answer, service
from api.conversions import ConversionBody, Converted
from api.schema import described
from tocsin.errors import Invalid, TocsinError

router = APIRouter(tags=["conversions"])

_SCOPES = ["events:write"]
_NAME = "conversions"
Writer = Annotated[Call, Depends(service(*_SCOPES))]


class ConversionBatch(msgspec.Struct):
    """Up to 1,000 sales."""

    conversions: list[ConversionBody]


@router.post("/v1/conversions", **described(ConversionBody, Converted, 202, _SCOPES))
async def report_conversion(call: Writer) -> Response:
    """One sale. 202 also when it counts for no message: then `notification_id` is null."""
    body = await call.body(ConversionBody)
    (found,) = await call.services.conversions.take([body], call.services.clock.now())
    if isinstance(found, TocsinError):
        raise found
    return answer(found, 202)


@router.post("/v1/conversions:batch", **described(ConversionBatch, Results, 202, _SCOPES))
async def report_conversions(call: Writer) -> Response:
    """Up to 1,000 sales; each has its own result (202, 422), its `id` the notification's."""
    bodies = each(ConversionBody, await call.raw(), _NAME)
    right = [body for body in bodies if isinstance(body, ConversionBody)]
    taken = iter(await call.services.conversions.take(right, call.services.clock.now()))
    found = [next(taken) if isinstance(body, ConversionBody) else body for body in bodies]
    return answer(results(_result(one, i) for i, one in enumerate(found)), 202)


def _result(found: Converted | TocsinError, index: int) -> ItemResult:
    if isinstance(found, Converted):
        return ItemResult(202, found.notification_id)
    if isinstance(found, Invalid) and not found.field.startswith(f"{_NAME}["):
        found = placed(found, _NAME, index)
    return refused(found)
