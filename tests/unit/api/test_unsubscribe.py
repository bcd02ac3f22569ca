"""The unsubscribe page: what it says, what it lets run, and which links it takes."""

import re
from base64 import urlsafe_b64decode
from types import SimpleNamespace
from typing import Any

import pytest

from api.app import create_app
from api.unsubscribe import Muting, link
from tests.unit.api.asgi import Client
from tests.unit.tocsin.link_makers import first_kind, unsubscribe
from tocsin.errors import Refused
from tocsin.links import Unsubscribe
from tocsin.records import Channel, Preferences, Profile
from tocsin.settings import Settings

SECRET = "test-jwt-secret-0123456789abcdef0123456789"
SETTINGS = Settings(jwt_secret=SECRET, smtp={"sender": "Ada & Söhne <shop@shop.example>"})
WHAT = Unsubscribe("ada", "promotional", "email")
TOKEN = unsubscribe(SETTINGS, "ada")
OLD = first_kind(SECRET, WHAT)


def client() -> Client:
    """Looking needs no service but the settings, so it can change nothing."""
    services: Any = SimpleNamespace(settings=SETTINGS)
    return Client(create_app(services))


async def test_looking_shows_a_button_and_changes_nothing() -> None:
    page = await client()("GET", f"/u/{TOKEN}")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = page.body.decode()
    assert "offers and news by email" in text
    assert "Ada &amp; Söhne" in text
    assert re.search(
        r'<form method="post"><button name="List-Unsubscribe" value="One-Click">', text
    )
    assert "ada" not in text, "a link passed on tells nobody whose it is"


async def test_nobody_keeps_the_address_and_nothing_foreign_runs() -> None:
    page = await client()("GET", f"/u/{TOKEN}")
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "script-src" not in policy
    text = page.body.decode()
    assert "<script" not in text
    assert not re.search(r'(src|href)="(https?:)?//', text)
    for name in re.findall(r'"(/web/[\w.-]+)"', text):
        assert (await client()("GET", name)).status == 200


async def test_hostile_words_stay_words() -> None:
    token = unsubscribe(SETTINGS, "ada", "<script>x</script>", "sms")
    assert b"<script>" not in (await client()("GET", f"/u/{token}")).body


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "token",
    [
        "x", TOKEN[:-2] + "AA", TOKEN + "A", TOKEN + "=", OLD[:-2] + "AA", OLD + "A",
        first_kind("other", WHAT), unsubscribe(Settings(jwt_secret="o" * 40), "ada"),
    ],
)  # fmt: skip
async def test_a_link_that_is_not_ours_is_404(method: str, token: str) -> None:
    problem = await client()(method, f"/u/{token}")
    assert (problem.status, problem.code) == (404, "not_found")
    page = await client()(method, f"/u/{token}", accept="text/html,*/*")
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b"<form" not in page.body


def test_without_a_secret_no_link_is_taken() -> None:
    with pytest.raises(Refused):
        link(Settings(jwt_secret=""), first_kind("", WHAT))


def test_a_channel_that_does_not_exist_is_no_link_of_ours() -> None:
    with pytest.raises(Refused):
        link(SETTINGS, first_kind(SECRET, Unsubscribe("ada", "promotional", "fax")))


def test_a_link_made_years_ago_still_works_and_so_does_one_of_a_secret_before() -> None:
    assert link(SETTINGS, OLD) == WHAT
    later = Settings(jwt_secret="n" * 40, link_secrets_old=f"{'x' * 40}, {SECRET}")
    assert link(later, OLD) == WHAT
    found = link(later, TOKEN)
    assert (found.user_id, found.category, found.channel) == ("ada", "promotional", "email")
    assert (found.notification_id, found.type) == ("n1", "NEWSLETTER")


def test_nobody_can_read_in_a_link_whose_it_is() -> None:
    assert b"ada" in urlsafe_b64decode(OLD + "=" * (-len(OLD) % 4)), "as it used to be"
    assert b"ada" not in urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))


def test_one_category_on_one_channel_is_muted_and_all_else_stays() -> None:
    before = Profile(
        "ada", email="a@b.example",
        preferences=Preferences(muted={"promotional": (Channel.SMS,), "stock": (Channel.EMAIL,)}),
    )  # fmt: skip
    after = Muting(WHAT)(before)
    assert after.preferences.muted == {
        "promotional": (Channel.SMS, Channel.EMAIL), "stock": (Channel.EMAIL,),
    }  # fmt: skip
    assert after.email == "a@b.example"
    assert Muting(WHAT)(after) is after
