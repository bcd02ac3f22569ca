"""Back-in-stock sign-ups."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from msgspec.structs import replace

from api.batch import ItemResult, Results, each, placed, refused, results
from api.bodies import SubscriptionBody
from api.call import Call, answer, anyone, service
from api.schema import described
from api.signups import Outcome
from tocsin.errors import Invalid, Refused, TocsinError
from tocsin.records import Subscription

router = APIRouter(tags=["subscriptions"])

_WRITE: Final = ("subscriptions:write", "users:write")
_READ: Final = ("subscriptions:read", *_WRITE)

Anyone = Annotated[Call, Depends(anyone)]
Writer = Annotated[Call, Depends(service(*_WRITE))]
Ahead = Annotated[
    bool, Query(description="Take SKUs whose stock was never reported, too: a sign-up ahead of it")
]


class SubscriptionBatch(msgspec.Struct):
    """Up to 1,000 sign-ups."""

    subscriptions: list[SubscriptionBody]


class SubscriptionList(msgspec.Struct):
    """Newest first."""

    subscriptions: list[Subscription]


@router.post(
    "/v1/subscriptions",
    **described(SubscriptionBody, Subscription, 201, _WRITE[:1], also=[200], own=True),
)
async def subscribe(call: Anyone, allow_unknown_sku: Ahead = False) -> Response:
    """Sign up for a SKU: 201 when new, 200 when this very sign-up is there already."""
    body = await call.body(SubscriptionBody)
    user_id = body.user_id or _own(call)
    call.allow_self_or(user_id, *_WRITE)
    now = call.services.clock.now()
    found = await call.services.signups.add(
        [replace(body, user_id=user_id)], now, allow_unknown_sku
    )
    if isinstance(found[0], TocsinError):
        raise found[0]
    subscription, new = found[0]
    return answer(subscription, 201 if new else 200)


def _own(call: Call) -> str:
    if call.identity.kind == "user":
        return call.identity.subject
    raise Invalid("user_id", "a service says whom it signs up")


@router.post("/v1/subscriptions:batch", **described(SubscriptionBatch, Results, 200, _WRITE[:1]))
async def subscribe_many(call: Writer, allow_unknown_sku: Ahead = False) -> Response:
    """Up to 1,000 sign-ups; each has its own result (201, 200, 409, 422)."""
    name = "subscriptions"
    bodies = [
        _with_user(b, i) for i, b in enumerate(each(SubscriptionBody, await call.raw(), name))
    ]
    right = [body for body in bodies if isinstance(body, SubscriptionBody)]
    now = call.services.clock.now()
    found = iter(await call.services.signups.add(right, now, allow_unknown_sku))
    outcomes = [b if isinstance(b, TocsinError) else next(found) for b in bodies]
    return answer(results(_result(outcome, i) for i, outcome in enumerate(outcomes)))


def _with_user(body: SubscriptionBody | TocsinError, index: int) -> Any:
    if isinstance(body, SubscriptionBody) and body.user_id is None:
        return Invalid(f"subscriptions[{index}].user_id", "a service says whom it signs up")
    return body


def _result(outcome: Outcome, index: int) -> ItemResult:
    if isinstance(outcome, Invalid) and not outcome.field.startswith("subscriptions["):
        return refused(placed(outcome, "subscriptions", index))
    if isinstance(outcome, TocsinError):
        return refused(outcome)
    subscription, new = outcome
    return ItemResult(201 if new else 200, subscription.subscription_id)


@router.get("/v1/subscriptions", **described(None, SubscriptionList, 200, _READ[:1], own=True))
async def list_subscriptions(
    call: Anyone,
    user_id: Annotated[str | None, Query(description="For services: whose")] = None,
) -> Response:
    """A person's sign-ups, in any state."""
    whose = user_id or (call.identity.subject if call.identity.kind == "user" else "")
    call.allow_self_or(whose, *_READ)
    if not whose:
        raise Invalid("", "query parameter `user_id`: a service says whose")
    return answer(SubscriptionList(await call.services.subscriptions.of_user(whose)))


@router.get(
    "/v1/subscriptions/{subscription_id}", **described(None, Subscription, 200, _READ[:1], own=True)
)
async def read_subscription(subscription_id: str, call: Anyone) -> Response:
    """One sign-up."""
    return answer(await _allowed(call, subscription_id, *_READ))


@router.delete(
    "/v1/subscriptions/{subscription_id}", **described(None, None, 204, _WRITE[:1], own=True)
)
async def unsubscribe(subscription_id: str, call: Anyone) -> Response:
    """Stop waiting. What has fired, was cancelled or is over stays as it is."""
    await call.services.signups.end(await _allowed(call, subscription_id, *_WRITE))
    return Response(status_code=204)


async def _allowed(call: Call, subscription_id: str, *scopes: str) -> Subscription:
    """The sign-up, if it is the caller's or the caller a service; another's is not there at all."""
    found = await call.services.subscriptions.get(subscription_id)
    identity = call.identity
    mine = found is not None and found.user_id == identity.subject
    if identity.kind == "service":
        call.allow_self_or("", *scopes)
    if found is None or not (mine or identity.kind == "service"):
        raise Refused("not_found", f"there is no subscription {subscription_id!r}")
    return found
