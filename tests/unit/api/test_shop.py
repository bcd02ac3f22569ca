"""The shop's decisions: whose number, how often, what is bought, who is told. Nothing is asked."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.shop import counter, orders, words
from api.shop.limit import Limit
from api.shop.opening import LONG_AGO, opening
from api.shop.orders import Line, Order
from api.shop.phone import message
from api.shop.products import PRODUCTS, SKUS
from api.shop.shoppers import addresses, demo_number, masked, shopper, user_id_of
from api.status import deliveries_of
from tocsin.errors import Invalid, Refused
from tocsin.ids import derived_id
from tocsin.records import CHANNELS, Channel, State, Subscription, Template
from tocsin.settings import Settings
from tocsin.store import SendResult
from tocsin.templates import Catalogue, Renderer, Version
from tocsin.templates.admit import admit

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LAMP, HEART = SKUS[0], SKUS[1]
ART = Path(__file__).parents[3] / "api" / "web" / "shop-art.js"


@pytest.mark.parametrize("spelt", ["+447700912345", "07700 912345", "+44 (7700) 91-23.45"])
def test_a_demo_number_however_it_is_spelt(spelt: str) -> None:
    assert demo_number(spelt) == "+447700912345"


@pytest.mark.parametrize(
    "other",
    ["", "+4477009123456", "+44770091234", "+447911123456", "+447700812345", "+44770091234x"],
)
def test_other_numbers_may_be_somebodys(other: str) -> None:
    with pytest.raises(Invalid) as caught:
        demo_number(other)
    assert caught.value.field == "number"


def test_a_shopper_can_be_reached_on_every_channel() -> None:
    made = shopper("  Ada   Archer ", "+447700912345", NOW)
    assert (made.user_id, made.name) == (user_id_of("+447700912345"), "Ada Archer")
    assert made == shopper("Ada Archer", "+447700912345", NOW)
    (device,) = made.devices.values()
    assert addresses(made) == ["+447700912345", "shopper-12345@shoppers.example", device.token]


@pytest.mark.parametrize(
    ("user_id", "shown"), [("shopper-12345", "sh•••45"), ("17850", "1•••"), ("", "•••")]
)
def test_people_are_masked(user_id: str, shown: str) -> None:
    assert masked(user_id) == shown


def test_a_limit_lets_a_burst_through_and_then_says_when() -> None:
    limit = Limit(per_second=2, burst=3)
    for _ in range(3):
        limit.take(100.0)
    with pytest.raises(Refused) as caught:
        limit.take(100.0)
    assert (caught.value.code, caught.value.retry_after) == ("too_many", 0.5)
    limit.take(100.5)
    with pytest.raises(Refused):
        limit.take(100.6)


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ((Line("unheard", 1),), "lines[0].sku"),
        ((Line(LAMP, 1), Line(LAMP, 1)), "lines[1].sku"),
    ],
)
def test_a_basket_that_cannot_be_is_named(lines: tuple[Line, ...], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        orders.checked(Order(lines), {LAMP: 5})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("left", "said"), [(0, "sold out"), (None, "sold out"), (1, "only 1 left")]
)
def test_more_than_there_is_cannot_be_bought(left: int | None, said: str) -> None:
    with pytest.raises(Refused) as caught:
        orders.checked(Order((Line(LAMP, 2),)), {LAMP: left})
    assert caught.value.code == "sold_out"
    assert str(caught.value) == f"{PRODUCTS[LAMP].name}: {said}"


def test_an_order_lowers_the_stock_and_is_confirmed() -> None:
    order = Order((Line(LAMP, 2), Line(HEART, 1)))
    orders.checked(order, {LAMP: 2, HEART: 9})
    made = orders.changes(order, "0123abcd-x", NOW)
    assert [(c.sku, c.delta, c.event_id) for c in made] == [
        (LAMP, -2, f"shop:order:0123abcd-x:{LAMP}"), (HEART, -1, f"shop:order:0123abcd-x:{HEART}"),
    ]  # fmt: skip
    placed = orders.placed(order, "0123abcd-x")
    total = 2 * float(PRODUCTS[LAMP].price) + float(PRODUCTS[HEART].price)
    assert (placed.items, placed.total) == (3, f"{total:.2f}")
    assert re.fullmatch(r"\d{6}", placed.order)
    told = orders.confirmation("ada", placed)
    assert (told.type, told.notification_id) == ("ORDER_CONFIRMATION", "0123abcd-x")
    assert told.data["total"] == placed.total


@pytest.mark.parametrize("body", [{"sku": "x"}, {"sku": "x", "available": 1, "delta": 1}])
def test_a_stock_change_is_one_of_two(body: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError, match="exactly one"):
        msgspec.convert(body | {"event_id": "12345678"}, counter.StockBody)


def signed_up(name: str, state: Any = "notified", *channels: Channel) -> Subscription:
    return Subscription(name, "shopper-12345", LAMP, NOW, channels, state=state)


def test_who_is_told_and_how_far_that_is() -> None:
    """What the books say beats what a sender remembers, and that beats the sign-up itself."""
    told = signed_up("s1", "notified", *CHANNELS)
    waits = signed_up("s2", "waiting", Channel.SMS)
    inapp, push, sms, _ = deliveries_of(derived_id("back-in-stock", "s1"))
    names = counter.deliveries([told, waits])
    assert names[:3] == [inapp, push, sms]
    sent = msgspec.json.encode(SendResult(sms, State.DELIVERED))
    claims = [None, b"c:1:x", b"r:1:" + sent, None, *[None] * 4]
    ended = [{"delivery_id": inapp, "state": "delivered", "reason": "socket"}]
    first, second = counter.told([told, waits], claims, ended)
    assert first.channels == {
        "inapp": "delivered", "push": "sending", "sms": "delivered", "email": "queued",
    }  # fmt: skip
    assert second.channels == {"sms": "waiting"}
    assert first.who == "sh•••45"


def test_a_complaint_has_the_words_its_type_wants() -> None:
    made = counter.broadcast(counter.BroadcastForm(" It  broke. "), NOW)
    assert made.audience.admins
    assert made.data == {"complaint": "120000", "summary": "It broke."}
    notice = counter.broadcast(counter.BroadcastForm("Hands!", "STAFF_NOTICE"), NOW)
    assert notice.data["body"] == "Hands!"


def test_the_first_stock_is_older_than_anything_else() -> None:
    made = opening(LAMP)
    assert (made.version, made.occurred_at, made.available) == (0, LONG_AGO, PRODUCTS[LAMP].opening)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"sku": LAMP, "available": 3}, f"{PRODUCTS[LAMP].name} is here again. 3 in stock."),
        ({"sku": SKUS[-1]}, f"{PRODUCTS[SKUS[-1]].name} is here again."),
        ({"sku": "another"}, "another is here again."),
        ({"sku": LAMP, "product": "A bell"}, "A bell is here again."),
        ({}, "What you wanted is here again."),
    ],
)
def test_the_shops_words_know_its_products(data: dict[str, object], said: str) -> None:
    record = words.version(NOW)
    renderer = Renderer(Settings(jwt_secret="s" * 32))
    admit(words.NAME, record, renderer)
    version = Version(words.NAME, record)
    found = renderer.preview(version, "en", Channel.PUSH, data)
    assert found.body == said
    assert renderer.preview(version, "en", Channel.EMAIL, data).title


def test_words_somebody_wrote_stay() -> None:
    wanted = words.version(NOW)
    made = words.step(wanted, None)
    assert made.published == made.versions[0].number
    others = Template(words.NAME, (wanted,))
    assert words.step(wanted, others) is others
    catalogue = Catalogue()
    assert not words.has_words(catalogue)
    catalogue.put(made)
    assert words.has_words(catalogue)


@pytest.mark.parametrize(
    ("provider", "more", "shown"),
    [
        ("twilio", {"text": "Hi"}, ("sms", "", "Hi")),
        ("fcm", {"title": "T", "body": "B"}, ("push", "T", "B")),
        ("smtp", {"subject": "S", "text": "Text"}, ("email", "S", "Text")),
        ("apns", {"content_dropped": True}, ("push", "", "")),
    ],
)
def test_a_receipt_as_a_phone_shows_it(
    provider: str, more: dict[str, object], shown: tuple[str, str, str]
) -> None:
    receipt = {"sequence": 7, "provider": provider, "received_at": 1.5, "type": "OTP"} | more
    found = message(receipt)
    assert (found.channel, found.title, found.text) == shown
    assert (found.sequence, found.at) == (7, 1.5)


def test_everything_sold_has_a_drawing_a_price_and_a_name_for_people() -> None:
    assert len(PRODUCTS) == 48
    drawn = set(re.findall(r"^  (\w+): \(", ART.read_text(), re.MULTILINE))
    for each in PRODUCTS.values():
        assert each.kind in drawn, each.kind
        assert re.fullmatch(r"\d+\.\d\d", each.price)
        assert each.name != each.name.upper()
    assert {each.opening for each in PRODUCTS.values()} >= {0, 2}
