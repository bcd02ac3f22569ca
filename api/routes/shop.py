"""The demo shop's page and its back end for its front end, beside the provider sandbox only.

None of it is in the public API: the page logs people in, sells, and lets everybody behind the
counter. What a shop's own page would ask Tocsin for, it asks /v1 for, with the person's token.
"""

from typing import Annotated, Final, cast

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response

from api.bodies import OtpBody
from api.call import Call, answer, person, read_body
from api.idempotent import HEADER, key_of
from api.pages import file
from api.routes.otp import challenge, check
from api.routes.tickets import issue
from api.services import Services
from api.shop.counter import BroadcastForm, StockBody, ToldBody, change, queue
from api.shop.products import PRODUCTS, product
from api.shop.shop import MOST_WAITING, Shop
from api.shop.shoppers import Check, Login, demo_number, user_id_of
from tocsin.errors import Invalid, Refused
from tocsin.records import decode

router = APIRouter(prefix="/shop", include_in_schema=False)
closed = APIRouter(include_in_schema=False)

_VISITORS: Final = "audience:shop"
_CLOSED: Final = (
    "the demo shop is open beside the provider sandbox only, where nobody real is called; "
    "`tocsin up` without --no-sandbox starts one, TOCSIN_SANDBOX_URL names one that runs"
)


class Sent(msgspec.Struct, frozen=True):
    """A code is on its way; its message comes after number `after` on the phone."""

    challenge_id: str
    number: str
    after: int


def install(app: FastAPI, services: Services | None) -> None:
    """The shop, or the sign at its closed door."""
    open_ = bool(
        services
        and services.settings.sandbox_url
        and services.settings.jwt_secret.get_secret_value()  # or nobody could be logged in
    )
    app.state.shop = Shop(services) if services and open_ else None
    app.include_router(router if open_ else closed)


async def close(app: FastAPI) -> None:
    """Let go of what the shop holds."""
    if app.state.shop is not None:
        await app.state.shop.phone.close()


def the_shop(request: Request) -> Shop:
    """The process's shop."""
    return cast(Shop, request.app.state.shop)


Open = Annotated[Shop, Depends(the_shop)]
Shopper = Annotated[Call, Depends(person)]
After = Annotated[int, Query(ge=0)]
Seconds = Annotated[float, Query(ge=0, le=10)]


@closed.get("/shop")
async def closed_door() -> Response:
    """Why there is no shop."""
    raise Refused("not_found", _CLOSED)


@router.get("")
async def page(request: Request) -> Response:
    """The shop."""
    return file(request, "shop.html")


@router.get("/api/products")
async def products(shop: Open) -> Response:
    """What is sold, and how many are left. The first visitor opens the shop."""
    stock = await shop.opening.stock()
    found = [
        {"sku": p.sku, "name": p.name, "price": p.price, "kind": p.kind, "hue": p.hue,
         "pale": p.pale, "available": stock[p.sku]}
        for p in PRODUCTS.values()
    ]  # fmt: skip
    return answer({"products": found})


@router.get("/api/live-ticket")
async def live_ticket(shop: Open) -> Response:
    """For who only looks: the socket tells stock and nothing else."""
    shop.reading()
    return await issue(shop.services, _VISITORS)


@router.post("/api/login")
async def log_in(request: Request, shop: Open) -> Response:
    """Register who is new, and send a code to the phone."""
    shop.logging_in()
    body = decode(Login, await read_body(request))
    number = demo_number(body.number)
    await shop.register(body.name, number)
    after = await shop.phone.newest()
    now = shop.services.clock.now()
    made = await challenge(shop.services, OtpBody(user_id_of(number)), now)
    return answer(Sent(made.challenge_id, number, after), 202)


@router.post("/api/login/verify")
async def verify(request: Request, shop: Open) -> Response:
    """A session for the right code."""
    body = decode(Check, await read_body(request))
    number = demo_number(body.number)
    shop.own(body.challenge_id, number)
    await check(shop.services, body.challenge_id, body.code)
    return answer(await shop.session(number), 200, **{"Cache-Control": "no-store"})


@router.get("/api/phones/{number}")
async def texts(number: str, shop: Open, after: After = 0, wait: Seconds = 0) -> Response:
    """The SMS at a number, for who is not logged in yet."""
    shop.reading()
    return answer(await shop.phone.texts(demo_number(number), after, wait))


@router.get("/api/phone")
async def phone(call: Shopper, shop: Open, after: After = 0) -> Response:
    """SMS, push and mail of who is logged in."""
    addresses = await shop.addresses(call.identity.subject)
    return answer(await shop.phone.all(addresses, after))


@router.get("/api/me")
async def me(call: Shopper, shop: Open) -> Response:
    """Who is logged in, and what they wait for."""
    return answer(await shop.me(call.identity.subject))


@router.post("/api/orders")
async def buy(call: Shopper, shop: Open) -> Response:
    """The stock goes down, the confirmation goes out."""
    shop.writing()
    payload = await call.raw()
    key = key_of(call.request, shop.services.idempotency, call.identity.subject, payload)
    if key is None:
        raise Invalid("", f"header `{HEADER}` is needed: an order sent twice is bought once")
    placed = await shop.order(call.identity.subject, payload, key)
    return Response(placed, 202, media_type="application/json")


@router.get("/api/counter")
async def counter(shop: Open) -> Response:
    """Every shelf, and how many wait for it."""
    shop.reading()
    return answer({"shelves": await shop.shelves()})


@router.get("/api/counter/queues/{sku}")
async def waiting(sku: str, shop: Open) -> Response:
    """Who waits for a product, first come first."""
    shop.reading()
    found = await shop.queues.first(product(sku).sku, MOST_WAITING)
    return answer({"waiting": queue(found)})


@router.post("/api/counter/stock")
async def restock(request: Request, shop: Open) -> Response:
    """Change a product's stock."""
    shop.writing()
    made = change(decode(StockBody, await read_body(request)), shop.services.clock.now())
    await shop.stock([made])
    return answer({"event_id": made.event_id}, 202)


@router.post("/api/counter/told")
async def told(request: Request, shop: Open) -> Response:
    """How far sign-ups have come."""
    shop.reading()
    body = decode(ToldBody, await read_body(request))
    return answer({"told": await shop.told(body.subscription_ids)})


@router.get("/api/counter/admins")
async def present_admins(shop: Open) -> Response:
    """Which admins are connected."""
    shop.reading()
    return answer({"present": await shop.present()})


@router.put("/api/counter/admins")
async def join_admins(call: Shopper, shop: Open) -> Response:
    """Belong to the admins."""
    shop.writing()
    await shop.admin(call.identity.subject, join=True)
    return Response(status_code=204)


@router.delete("/api/counter/admins")
async def leave_admins(call: Shopper, shop: Open) -> Response:
    """Belong to them no more."""
    shop.writing()
    await shop.admin(call.identity.subject, join=False)
    return Response(status_code=204)


@router.post("/api/counter/broadcasts")
async def tell_admins(request: Request, shop: Open) -> Response:
    """A word to every admin."""
    shop.writing()
    form = decode(BroadcastForm, await read_body(request))
    broadcast_id = await shop.tell_admins(form, shop.services.clock.now())
    return answer({"broadcast_id": broadcast_id}, 202)
