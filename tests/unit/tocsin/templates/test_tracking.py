"""Links in messages: tracked by channel, never in what is about security, never in previews."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.actors.makers import delivery, profile
from tests.unit.tocsin.link_makers import AT
from tocsin.clock import ManualClock
from tocsin.errors import Refused
from tocsin.links import Purpose, Seals
from tocsin.links.target import MOST_CHARACTERS
from tocsin.records import CHANNELS, Channel
from tocsin.settings import Settings
from tocsin.templates import Content, Renderer
from tocsin.templates.built_in import WORDS
from tocsin.templates.sms import measure

PUBLIC = "https://shop.example"
SETTINGS = Settings(jwt_secret="s" * 40, public_url=PUBLIC)
SEALS = Seals(SETTINGS)
NAME = "0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6"


def said(
    channel: Channel,
    kind: str = "BACK_IN_STOCK",
    settings: Settings = SETTINGS,
    data: dict[str, Any] | None = None,
    **more: Any,
) -> Content:
    item = delivery(
        notification_id=NAME, type=kind, template_id=kind, channel=channel,
        data={"sku": "85123A", "product": "Heart"} if data is None else data,
        **{"category": "stock"} | more,
    )  # fmt: skip
    return Renderer(settings, ManualClock(AT)).render(item, profile())


def opened(url: str, purpose: Purpose = Purpose.CLICK, way: str = "c") -> Any:
    prefix, _, token = url.removesuffix(".gif").rpartition("/")
    assert prefix == f"{PUBLIC}/{way}"
    return SEALS.open(purpose, token, AT)


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_has_a_link_of_its_own(channel: Channel) -> None:
    content = said(channel)
    link = opened(content.link)
    assert content.target == f"{PUBLIC}/shop?sku=85123A"
    assert link.text == "/shop?sku=85123A"
    assert (link.sent.notification_id, link.sent.channel) == (NAME, channel)
    assert link.sent.at == AT
    if channel in (Channel.SMS, Channel.EMAIL):
        assert content.link in content.body
        assert content.target not in content.body


def test_a_mail_has_a_dot_and_a_link_nobody_sees() -> None:
    html = said(Channel.EMAIL).html
    (pixel,) = re.findall(r'<img src="([^"]+)" width="1" height="1" alt=""', html)
    assert opened(pixel, Purpose.OPEN, "o").sent.notification_id == NAME
    (trap,) = re.findall(r'<a href="([^"]+)" style="display:none[^>]+aria-hidden="true"', html)
    assert opened(trap, Purpose.TRAP).text == "/shop?sku=85123A"
    assert html.endswith("</body></html>")


def test_only_mail_has_them() -> None:
    assert all(said(channel).html == "" for channel in set(Channel) - {Channel.EMAIL})


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("tracked", ["", "push,inapp", "email", "sms"])
def test_what_is_not_to_be_tracked_is_not(channel: Channel, tracked: str) -> None:
    settings = Settings(jwt_secret="s" * 40, public_url=PUBLIC, track=tracked)
    content = said(channel, settings=settings)
    is_tracked = channel in tracked.split(",")
    assert (content.link != content.target) is is_tracked
    assert ("/o/" in content.html) is (is_tracked and channel is Channel.EMAIL)


@pytest.mark.parametrize("channel", CHANNELS)
def test_security_has_no_link_at_all(channel: Channel) -> None:
    content = said(channel, "DEFAULT", data={"body": "New log-in."}, category="security")
    assert (content.link, content.target, content.unsubscribe) == ("", "", "")
    assert "http" not in content.body + content.html
    assert said(channel, "OTP", data={"code": "1", "minutes": 5}).link == ""


def test_a_preview_is_not_tracked() -> None:
    made = Renderer(SETTINGS)
    version = WORDS["BACK_IN_STOCK"]
    for channel in CHANNELS:
        content = made.preview(version, "en", channel, version.record.sample)
        assert content.link == f"{PUBLIC}/shop?sku=85123A"
        assert "/c/" not in content.html + content.body
        assert "/o/" not in content.html


def test_without_a_secret_links_are_plain() -> None:
    content = said(Channel.EMAIL, settings=Settings(public_url=PUBLIC), category="promotional")
    assert (content.link, content.unsubscribe) == (content.target, "")


def test_a_target_that_is_too_long_is_not_tracked() -> None:
    for size, tracked in ((MOST_CHARACTERS, True), (MOST_CHARACTERS + 1, False)):
        url = "https://x.example/".ljust(size, "x")
        content = said(Channel.EMAIL, data={"sku": "1", "product": "Heart", "url": url})
        assert (content.link != url) is tracked
        assert content.target == url


@pytest.mark.parametrize(
    "url",
    ["https://shop.example.evil.example/x", "https://shop.example@x/", "https://x.example/ü?a b"],
)
def test_another_address_is_sealed_whole(url: str) -> None:
    content = said(Channel.PUSH, data={"sku": "1", "product": "Heart", "url": url})
    assert opened(content.link).text == url


def test_the_entries_of_a_digest_are_links_of_the_digest() -> None:
    items = [
        {"title": "A", "body": "a", "url": f"{PUBLIC}/shop?sku=1"},
        {"title": "B", "body": "b", "url": ""},
        {"title": "C", "body": "c", "url": "javascript:alert(1)"},
    ]
    data = {"count": 3, "items": items, "more": 0}
    content = said(Channel.EMAIL, "DIGEST", data=data)
    links = re.findall(rf'href="({PUBLIC}/c/[^"]+)"', content.html)
    assert "/shop?sku=1" in [opened(link).text for link in links if _is_click(link)]
    assert f"{PUBLIC}/shop?sku=1" not in content.html
    assert items[0]["url"] == f"{PUBLIC}/shop?sku=1", "the delivery is as it was"


def _is_click(link: str) -> bool:
    try:
        opened(link)
    except Refused:
        return False
    return True


def test_the_same_message_at_the_same_instant_has_the_same_links() -> None:
    assert said(Channel.EMAIL) == said(Channel.EMAIL)
    later = ManualClock(AT + timedelta(seconds=1))
    item = delivery(notification_id=NAME, channel=Channel.PUSH)
    one, two = (
        Renderer(SETTINGS, clock).render(item, profile()) for clock in (ManualClock(AT), later)
    )
    assert one.link != two.link
    assert one.target == two.target


def test_a_text_message_about_stock_fits_one_part() -> None:
    data = {"sku": "85123A", "product": "White hanging heart T-light"}
    assert measure(said(Channel.SMS, data=data, user_id="12583").body).parts == 1
