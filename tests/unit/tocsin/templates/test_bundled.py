"""Templates: whole or not at all, escaped where it is HTML, and nothing of the data runs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.actors.makers import delivery, profile
from tocsin.errors import Permanent
from tocsin.links import Purpose, Seals
from tocsin.records import Channel
from tocsin.settings import Settings
from tocsin.templates import Catalogue, Chosen, Renderer, grammar
from tocsin.templates.built_in import FOLDER, WORDS
from tocsin.templates.filters import money
from tocsin.templates.variables import BUILT_IN
from tocsin.templates.words import parts, said_on

SETTINGS = Settings(jwt_secret="s" * 40, public_url="https://shop.example")
RENDERER, SEALS = Renderer(SETTINGS), Seals(SETTINGS)

DATA: dict[str, dict[str, Any]] = {
    "ORDER_CONFIRMATION": {"order": "536365", "items": 7, "total": "139.12", "currency": "GBP"},
    "ORDER_UPDATE": {"order": "C1", "total": "27.50", "currency": "GBP", "kind": "return"},
    "BACK_IN_STOCK": {"sku": "85123A", "available": 50, "subscription_id": "s1"},
    "SALE_OFFER": {"body": "All hearts half price."},
    "NEWSLETTER": {"title": "November", "body": "News."},
    "REVIEW": {"product": "White heart"},
    "COMPLAINT_RESPONSE": {"complaint": "7", "response": "Sorry."},
    "NEW_COMPLAINT": {"complaint_id": 7, "summary": "Broken."},
    "OTP": {"code": "123456", "minutes": 5},
    "DIGEST": {"count": 1, "items": [{"title": "News", "body": "", "url": ""}], "more": 0},
    "DEFAULT": {"message": "Hello there."},
    "A_TYPE_OF_THE_SHOPS_OWN": {"message": "Hello there."},
}


LEAST: dict[str, Any] = {"list": [{"title": "x", "body": "", "url": ""}], "object": {}}


def said(kind: str, channel: Channel, data: dict[str, Any], category: str = "stock") -> Any:
    item = delivery(type=kind, template_id=kind, channel=channel, data=data, category=category)
    return RENDERER.render(item, profile())


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("kind", list(DATA))
def test_every_type_speaks_on_every_channel(kind: str, channel: Channel) -> None:
    content = said(kind, channel, DATA[kind])
    assert content.body
    assert bool(content.title) == (channel is not Channel.SMS)
    assert bool(content.html) == (channel is Channel.EMAIL)
    assert "{" not in content.body + content.title
    assert "None" not in content.body + content.title


def test_the_bundled_folders_are_the_types_tested_here() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()}
    assert folders == set(WORDS) == set(DATA) - {"A_TYPE_OF_THE_SHOPS_OWN"}


@pytest.mark.parametrize(
    ("kind", "channel", "name"),
    [
        ("ORDER_CONFIRMATION", Channel.EMAIL, "order"),
        ("BACK_IN_STOCK", Channel.PUSH, "product"),
        ("OTP", Channel.SMS, "code"),
        ("NEWSLETTER", Channel.EMAIL, "body"),
        ("WHATEVER", Channel.PUSH, "body"),
    ],
)
def test_a_missing_variable_fails_the_message_and_is_named(
    kind: str, channel: Channel, name: str
) -> None:
    with pytest.raises(Permanent, match=f"^missing variable: {name}$"):
        said(kind, channel, {})


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("kind", list(WORDS))
def test_what_the_declaration_lets_through_can_be_said(kind: str, channel: Channel) -> None:
    declared = WORDS[kind].record
    needed = [name for name, variable in declared.variables.items() if variable.required]
    least = {n: LEAST.get(declared.variables[n].type, 7) for n in needed}
    for data in (declared.sample, least):
        assert Catalogue().choose(kind, None, None, data) == Chosen(kind, 0)
        assert said(kind, channel, data).body


@pytest.mark.parametrize("kind", list(WORDS))
def test_bundled_words_obey_the_rules_for_everyone(kind: str) -> None:
    version = WORDS[kind]
    allowed = BUILT_IN | set(version.record.variables)
    for channel in Channel:
        found = version.said("en", channel)
        assert found
        for part in parts(found[1]):
            tree = grammar.read(part.source)
            assert {name for name, _ in grammar.undeclared(tree)} <= allowed
    assert said_on(version.record.locales["en"], Channel.INAPP)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("ORDER_UPDATE", {"order": "C1", "kind": "return", "total": "17.85", "currency": "GBP"}),
        ("ORDER_CONFIRMATION", {"order": 1, "items": [1], "total": 24.5, "currency": "GBP"}),
        ("BACK_IN_STOCK", {"sku": "85123A", "available": 9, "subscription_id": "s"}),
        ("COMPLAINT_RESPONSE", {"complaint_id": 7, "message": "Sorry."}),
        ("A_TYPE_OF_THE_SHOPS_OWN", {"text": "Hello."}),
    ],
)  # fmt: skip
def test_what_producers_send_today_goes_through(kind: str, data: dict[str, Any]) -> None:
    assert Catalogue().choose(kind, None, None, data).version == 0


def test_html_is_escaped_and_text_is_not() -> None:
    content = said("BACK_IN_STOCK", Channel.EMAIL, {"product": "<b>5 & 6</b>"})
    assert "&lt;b&gt;5 &amp; 6&lt;/b&gt;" in content.html
    assert "<b>5" not in content.html
    assert content.title == "<b>5 & 6</b> is back in stock"


@given(st.text(max_size=80))
def test_no_data_reaches_a_second_line_of_a_title(product: str) -> None:
    content = said("BACK_IN_STOCK", Channel.EMAIL, {"product": product})
    assert len(content.title.splitlines()) <= 1
    assert product.strip() in content.body or product != product.strip() or "\r" in product


def test_data_is_not_a_template() -> None:
    content = said("SALE_OFFER", Channel.PUSH, {"body": "{{ shop }} {% for x in y %}"})
    assert content.body == "{{ shop }} {% for x in y %}"


def test_links_lead_to_the_thing_and_only_by_the_web() -> None:
    assert said("BACK_IN_STOCK", Channel.PUSH, {"sku": "85 &A"}).target == (
        "https://shop.example/shop?sku=85%20%26A"
    )
    assert said("SALE_OFFER", Channel.PUSH, {"body": "x", "url": "https://x.example/a"}).target == (
        "https://x.example/a"
    )
    for url in ("javascript:alert(1)", "https://x\r\ny", 7):
        assert said("SALE_OFFER", Channel.PUSH, {"body": "x", "url": url}).target == (
            "https://shop.example/shop"
        )


def test_promotion_carries_a_link_that_unsubscribes_this_person_and_no_other_does() -> None:
    content = said("NEWSLETTER", Channel.EMAIL, DATA["NEWSLETTER"], category="promotional")
    prefix, _, token = content.unsubscribe.rpartition("/")
    assert prefix == "https://shop.example/u"
    sent, category = SEALS.open(Purpose.UNSUBSCRIBE, token, None)
    assert (sent.user_id, category, sent.channel) == ("u1", "promotional", "email")
    assert content.unsubscribe in content.body
    assert said("NEWSLETTER", Channel.EMAIL, DATA["NEWSLETTER"]).unsubscribe == ""


def test_a_code_is_said_with_its_minutes_and_shows_in_no_repr() -> None:
    content = RENDERER.code("482913", Channel.SMS, 5)
    assert content.body.startswith("482913 ")
    assert "5 minutes" in content.body
    assert "482913" not in repr(content)


def test_a_long_push_is_cut() -> None:
    assert len(said("SALE_OFFER", Channel.PUSH, {"body": "x" * 9_000}).body) == 1_000


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [("139.12", "GBP", "£139.12"), (5.5, "EUR", "€5.50"), ("7", "PLN", "7 PLN"), ("7", "", "7")],
)
def test_money(amount: object, currency: str, text: str) -> None:
    assert money(amount, currency) == text
