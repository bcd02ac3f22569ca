"""The seed documents' endpoint names: the same services under other names and bodies.

What a body means is decided in `api.seed`; who may do what is as at the canonical endpoint.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from api.bodies import OtpBody, SubscriptionBody, UserBody
from api.call import Call, answer, anyone, self_or, service
from api.idempotent import HEADER, key_of
from api.people import known, unknown_user
from api.registration import Registration
from api.routes.devices import keep
from api.routes.inbox import Types, types_of
from api.routes.notifications import read_notification
from api.routes.otp import Challenge, challenge
from api.schema import described
from api.seed import documents as docs
from api.seed import messages, outcome, people
from api.seed.fields import called
from api.zones import check_zone
from tocsin.errors import Invalid, Refused, TocsinError
from tocsin.ids import new_id
from tocsin.records import InventoryChange, Profile, Subscription, decode, encode
from tocsin.store.inbox import CAP, Status
from tocsin.topics import INVENTORY

router = APIRouter(tags=["seed aliases"])

_SIGN_UP: Final = ("subscriptions:write", "users:write")
_INBOX: Final = ["inbox"]

Anyone = Annotated[Call, Depends(anyone)]
Registrar = Annotated[Call, Depends(service("users:write"))]
Sender = Annotated[Call, Depends(service("notifications:write"))]
Stocker = Annotated[Call, Depends(service("inventory:write"))]
OtpCaller = Annotated[Call, Depends(service("otp"))]
Reader = Annotated[Call, Depends(self_or(*_INBOX))]


async def _given(call: Call) -> dict[str, Any]:
    return decode(dict[str, Any], await call.raw())


def _ignored(names: Sequence[str]) -> list[str] | UnsetType:
    return list(names) or UNSET


@router.post(
    "/api/v1/register",
    **described(docs.RegisterBody, docs.PersonAnswer, 201, ["users:write"], also=[200]),
)
async def seed_register(call: Registrar) -> Response:
    """POST /v1/users: 201 when new, 200 when registered just so already, 409 when otherwise."""
    meant = people.registration(await _given(call))
    body = meant.as_(UserBody)
    try:
        check_zone(body.preferences, "preferences.timezone")
    except Invalid as error:
        raise meant.error(error) from None
    step = Registration(body, call.services.clock.now())
    await call.services.people.change(body.user_id, step)
    found = docs.PersonAnswer(body.user_id, "registered", ignored=_ignored(meant.ignored))
    return answer(found, 201 if step.created else 200)


@router.put(
    "/api/v1/updateDeviceToken",
    **described(docs.DeviceTokenBody, docs.PersonAnswer, 200, ["users:write"], own=True),
)
async def seed_update_device_token(call: Anyone) -> Response:
    """PUT /v1/users/{id}/devices/{device}: of the one device there is, unless another is named."""
    new, meant = people.device(await _given(call))
    call.allow_self_or(new.user_id, "users:write")
    device_id, _ = await keep(
        call.services, new.user_id, lambda profile: people.placed(new, profile, meant)
    )
    ignored = _ignored(meant.ignored)
    return answer(docs.PersonAnswer(new.user_id, "updated", device_id, ignored))


_SEND: Final = described(docs.SendBody, docs.SentAnswer, 202, ["notifications:write"], [HEADER])


@router.post("/api/v1/sendNotification", **_SEND)
async def seed_send_notification(call: Sender) -> Response:
    """POST /v1/notifications, or for `userIds` its `:batch`. Idempotency-Key is honoured."""
    return await _send(call)


@router.post("/notifications/send", **_SEND)
async def seed_send(call: Sender) -> Response:
    """The same as /api/v1/sendNotification."""
    return await _send(call)


async def _send(call: Call) -> Response:
    raw = await call.raw()
    sending = messages.notification(decode(dict[str, Any], raw))
    services = call.services
    key = key_of(call.request, services.idempotency, call.identity.subject, raw)
    if sending.many:
        try:
            accepted = await services.accept.many(sending.batch(), key)
        except Invalid as error:
            raise outcome.batch_error(error, sending) from None
        return answer(outcome.sent_many(accepted, sending), 202)
    try:
        one = await services.accept.one(sending.one(), key)
    except Invalid as error:
        raise sending.meant.error(error) from None
    return answer(docs.SentAnswer(notification_id=one.notification_id), 202)


@router.post(
    "/api/v1/optOut",
    **described(docs.OptOutBody, docs.PersonAnswer, 200, ["users:write"], own=True),
)
async def seed_opt_out(call: Anyone) -> Response:
    """PUT /v1/users/{id}/preferences, of which it changes this and leaves the rest."""
    meant = people.opt_out(await _given(call))
    what = meant.as_(people.OptOut)
    call.allow_self_or(what.user_id, "users:write")

    def step(before: Profile | None) -> Profile:
        if before is None:
            raise meant.error(unknown_user(what.user_id))
        after = people.without(before.preferences, what)
        return before if after is before.preferences else replace(before, preferences=after)

    await call.services.people.change(what.user_id, step)
    found = docs.PersonAnswer(what.user_id, "opted_out", ignored=_ignored(meant.ignored))
    return answer(found)


@router.get(
    "/api/v1/notificationStatus",
    **described(None, docs.StatusAnswer, 200, ["notifications:read"], own=True),
)
async def seed_notification_status(
    call: Anyone, notification_id: Annotated[str, Query(alias="notificationId")]
) -> Response:
    """GET /v1/notifications/{id}."""
    found = await read_notification(notification_id, call)
    return answer(outcome.status(notification_id, msgspec.json.decode(found.body)))


@router.post(
    "/notifications/subscribe",
    **described(docs.SubscribeBody, docs.SignUpAnswer, 201, _SIGN_UP[:1], also=[200], own=True),
)
async def seed_subscribe(call: Anyone) -> Response:
    """POST /v1/subscriptions with `?allow_unknown_sku=true`: these callers report stock later."""
    meant = messages.subscription(await _given(call))
    body = meant.as_(SubscriptionBody)
    body = replace(body, user_id=_whose(call, body.user_id, *_SIGN_UP))
    now = call.services.clock.now()
    (found,) = await call.services.signups.add([body], now, allow_unknown_sku=True)
    if isinstance(found, TocsinError):
        raise called(found, meant.names) if isinstance(found, Invalid) else found
    subscription, new = found
    shown = _sign_up(subscription, "subscribed", meant.ignored)
    return answer(shown, 201 if new else 200)


@router.delete(
    "/notifications/unsubscribe",
    **described(docs.UnsubscribeBody, docs.SignUpAnswer, 200, _SIGN_UP[:1], own=True),
)
async def seed_unsubscribe(call: Anyone) -> Response:
    """DELETE /v1/subscriptions/{id} by person and product. 404 if there never was such a one."""
    raw = await call.raw()
    given = decode(dict[str, Any], raw) if raw.strip() else dict(call.request.query_params)
    meant = messages.wish(given)
    whose = _whose(call, meant.body.get("user_id"), *_SIGN_UP)
    sku = meant.body["sku"]
    found = [s for s in await call.services.subscriptions.of_user(whose) if s.sku == sku]
    if not found:
        raise Refused("not_found", f"{whose!r} never signed up for {sku!r}")
    for subscription in found:
        await call.services.signups.end(subscription)
    return answer(_sign_up(found[0], "unsubscribed", meant.ignored))


def _whose(call: Call, said: str | None, *scopes: str) -> str:
    """The person meant: as said, or the one whose token it is. Raises `Invalid`, `Denied`."""
    if said is None and call.identity.kind == "service":
        raise Invalid("userId", "a service says whose")
    whose = said or call.identity.subject
    call.allow_self_or(whose, *scopes)
    return whose


def _sign_up(found: Subscription, status: Any, ignored: Sequence[str]) -> docs.SignUpAnswer:
    return docs.SignUpAnswer(
        found.user_id, found.sku, status, found.subscription_id, _ignored(ignored)
    )


@router.get("/notifications/{user_id}", **described(None, docs.InboxAnswer, 200, _INBOX, own=True))
async def seed_inbox(
    user_id: str,
    call: Reader,
    page: Annotated[int, Query(ge=1, le=CAP)] = 1,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    status: Annotated[Status, Query()] = "all",
    types: Annotated[str | None, Types] = None,
) -> Response:
    """GET /v1/inbox by page, for the person or a service with the scope `inbox`."""
    if call.identity.kind == "service":
        known(await call.services.profiles.get(user_id), user_id)
    # an inbox holds no more than this, so one read has it whole, and its pages agree
    whole = await call.services.inbox.page(user_id, status, None, CAP, types_of(types))
    return answer(outcome.inbox(whole, page, limit))


@router.patch(
    "/notifications/{notification_id}/read",
    **described(docs.ReadBody, docs.ReadAnswer, 200, _INBOX, own=True),
)
async def seed_mark_read(notification_id: str, call: Anyone) -> Response:
    """PATCH /v1/inbox/{id}, for the person or a service that says whose inbox it is."""
    raw = await call.raw()
    whose = _whose(call, people.reader(decode(dict[str, Any], raw) if raw.strip() else {}), "inbox")
    inbox = call.services.inbox
    if await inbox.get(whose, notification_id) is None:
        raise Refused("not_found", f"there is no {notification_id!r} in this inbox")
    unread, _ = await inbox.mark_read(whose, [notification_id])
    return answer(docs.ReadAnswer(notification_id, unread))


@router.post(
    "/admin/update-stock", **described(docs.StockBody, docs.StockAnswer, 202, ["inventory:write"])
)
async def seed_update_stock(call: Stocker) -> Response:
    """POST /v1/inventory. A change without `eventId` and time is one of now."""
    now = call.services.clock.now()
    meant = messages.stock(await _given(call), new_id(), now.isoformat())
    change = meant.as_(InventoryChange)
    await call.services.publish.one(INVENTORY, change.sku, encode(change))
    found = docs.StockAnswer(
        change.product_id or change.sku, change.event_id, ignored=_ignored(meant.ignored)
    )
    return answer(found, 202)


@router.post("/auth/request-otp", **described(docs.OtpRequestBody, Challenge, 202, ["otp"]))
async def seed_request_otp(call: OtpCaller) -> Response:
    """POST /v1/otp, and its very answer. Check the code with POST /v1/otp/verify."""
    accepted_at = call.services.clock.now()
    meant = people.one_time_code(await _given(call))
    body = meant.as_(OtpBody)
    try:
        return answer(await challenge(call.services, body, accepted_at), 202)
    except Invalid as error:
        raise meant.error(error) from None
