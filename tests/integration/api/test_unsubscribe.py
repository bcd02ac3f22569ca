"""One click, no log-in: the preference changes in view and log, and nobody learns anything."""

import asyncio

import pytest

from api.services import Services
from tests.integration.api.conftest import Log
from tests.unit.api.asgi import Answer, Client
from tests.unit.tocsin.link_makers import first_kind, unsubscribe
from tocsin.links import Unsubscribe
from tocsin.records import Engagement, Profile, decode
from tocsin.topics import ENGAGEMENT, PROFILES

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

FORM = "application/x-www-form-urlencoded"


def path(services: Services, user: str, channel: str = "email") -> str:
    return f"/u/{unsubscribe(services.settings, user, channel=channel)}"


async def click(shop: Client, address: str, body: bytes = b"List-Unsubscribe=One-Click") -> Answer:
    return await shop.with_token(None)("POST", address, body, content_type=FORM)


async def test_one_click_mutes_in_view_and_log(shop: Client, services: Services, log: Log) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    await log.since(PROFILES)
    page = await click(shop, path(services, "ada"))
    assert (page.status, page.headers["cache-control"]) == (200, "no-store")
    preferences = (await shop("GET", "/v1/users/ada/preferences")).json
    assert preferences["muted"] == {"promotional": ["email"]}
    ((_, value),) = await log.read(1)
    assert decode(Profile, value or b"").preferences.muted == {"promotional": ("email",)}


async def test_again_and_at_once_it_is_the_same(shop: Client, services: Services) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    ways = [path(services, "ada", way) for way in ("email", "sms")] * 5
    assert {(await click(shop, ways[0])).status for _ in range(2)} == {200}
    assert {a.status for a in await asyncio.gather(*(click(shop, way) for way in ways))} == {200}
    profile = (await shop("GET", "/v1/users/ada")).json
    assert profile["preferences"]["muted"] == {"promotional": ["email", "sms"]}
    assert profile["version"] == 3


@pytest.mark.parametrize(
    "body",
    [b"", b"List-Unsubscribe=One-Click", b'--x\r\nContent-Disposition: form-data; name="List-'
     b'Unsubscribe"\r\n\r\nOne-Click\r\n--x--'],
)  # fmt: skip
async def test_however_a_mail_program_puts_it(
    shop: Client, services: Services, body: bytes
) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    assert (await click(shop, path(services, "ada"), body)).status == 200
    assert "promotional" in (await shop("GET", "/v1/users/ada/preferences")).json["muted"]


async def test_looking_changes_nothing(shop: Client, services: Services, log: Log) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    await log.since(PROFILES)
    assert (await shop.with_token(None)("GET", path(services, "ada"))).status == 200
    assert await log.nothing()


async def test_somebody_who_is_not_there_gets_the_same_page(
    shop: Client, services: Services, log: Log
) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    await log.since(PROFILES)
    here, gone = [await click(shop, path(services, user)) for user in ("ada", "nobody")]
    assert (here.status, here.body) == (gone.status, gone.body)
    assert len(await log.read(1)) == 1
    assert await log.nothing()


async def test_a_body_without_end_is_refused(shop: Client, services: Services) -> None:
    answer = await click(shop, path(services, "ada"), b"x" * 1_000_001)
    assert (answer.status, answer.code) == (413, "too_large")


async def test_the_books_are_told_once_from_which_notification(
    shop: Client, services: Services, log: Log
) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    await log.since(ENGAGEMENT)
    for _ in range(2):
        assert (await click(shop, path(services, "ada"))).status == 200
    events = [decode(Engagement, value or b"") for _, value in await log.read(2)]
    assert len({event.event_id for event in events}) == 1
    event = events[0]
    assert (event.kind, event.notification_id, event.user_id) == ("unsubscribe", "n1", "ada")
    assert (event.channel, event.type, event.bot) == ("email", "NEWSLETTER", False)


async def test_a_link_of_the_first_kind_mutes_and_tells_of_no_notification(
    shop: Client, services: Services, log: Log
) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    await log.since(ENGAGEMENT)
    secret = services.settings.jwt_secret.get_secret_value()
    old = first_kind(secret, Unsubscribe("ada", "promotional", "email"))
    assert (await click(shop, f"/u/{old}")).status == 200
    assert "promotional" in (await shop("GET", "/v1/users/ada/preferences")).json["muted"]
    assert await log.nothing()
