"""A click and an open through a real broker, and over a real connection."""

import asyncio
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from subprocess import Popen

import pytest
from redis.asyncio import Redis

from api import hits
from api.app import create_app
from api.services import Services
from tests.integration.api.conftest import Log
from tests.integration.api.test_serve import environment, start
from tests.integration.conftest import free_port, wait_until
from tests.unit.api.asgi import Client
from tests.unit.tocsin.link_makers import sent, token
from tocsin.ids import new_id
from tocsin.kafka import start_producer
from tocsin.links import Purpose
from tocsin.process import ready_file
from tocsin.records import Channel, Engagement, decode
from tocsin.settings import Settings
from tocsin.store import keys
from tocsin.topics import ENGAGEMENT

pytestmark = pytest.mark.integration

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
TARGET = "/shop?sku=85123A"


def link(settings: Settings, purpose: Purpose = Purpose.CLICK, ago: float = 60) -> tuple[str, str]:
    """(notification id, path)."""
    name = new_id()
    what = sent(name, "ada", Channel.EMAIL, at=datetime.now(UTC) - timedelta(seconds=ago))
    made = token(settings, purpose, TARGET, what)
    return name, f"/o/{made}.gif" if purpose is Purpose.OPEN else f"/c/{made}"


async def events(log: Log, at_least: int) -> list[Engagement]:
    records = await log.read(at_least)
    found = [decode(Engagement, value or b"") for _, value in records]
    assert [key for key, _ in records] == [event.notification_id.encode() for event in found]
    return found


async def test_click_and_open_are_in_the_log_and_the_last_click_in_the_store(
    shop: Client, services: Services, log: Log
) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    await log.since(ENGAGEMENT)
    anybody = shop.with_token(None)
    name, path = link(services.settings)
    assert (await anybody("GET", path, user_agent=BROWSER)).status == 302
    (click,) = await events(log, 1)
    await services.hits.close()
    assert (click.notification_id, click.kind, click.bot) == (name, "click", False)
    assert name.encode() in (await services.redis.get(keys.clicked("ada")) or b"")
    assert 0 < await services.redis.ttl(keys.clicked("ada")) <= 7 * 86_400
    other, path = link(services.settings, Purpose.OPEN)
    assert (await anybody("GET", path, user_agent="Mozilla/5.0")).status == 200
    (opened,) = await events(log, 1)
    assert (opened.notification_id, opened.kind, opened.bot_reason) == (other, "open", "apple_mpp")
    assert name.encode() in (await services.redis.get(keys.clicked("ada")) or b"")


async def test_of_somebody_erased_nothing_is_left_and_nothing_comes(
    shop: Client, services: Services, log: Log
) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada"})
    _, path = link(services.settings)
    await shop("GET", path, user_agent=BROWSER)
    await services.hits.close()
    assert await services.redis.exists(keys.clicked("ada"))
    await shop("DELETE", "/v1/users/ada")
    await log.since(ENGAGEMENT)
    assert (await shop("GET", path, user_agent=BROWSER)).status == 302
    await services.hits.close()
    assert not await services.redis.exists(keys.clicked("ada"))
    assert await log.nothing()


async def test_with_kafka_away_the_person_goes_on_and_the_next_api_tells_of_it(
    services: Services, settings: Settings, redis: Redis, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    await redis.set(keys.profile("ada"), b'{"user_id":"ada"}')
    await log.since(ENGAGEMENT)
    name, path = link(settings)
    await services.producer.stop()
    with monkeypatch.context() as patched:
        patched.setattr(hits, "_CLOSE_SECONDS", 0)
        assert (await Client(create_app(services))("GET", path, user_agent=BROWSER)).status == 302
        await services.hits.close()
    producer = await start_producer(settings)
    following = Services.over(settings, redis, producer)
    assert await following.hits.take_up() == 1
    (event,) = await events(log, 1)
    await following.hits.close()
    await producer.stop()
    assert event.notification_id == name


@pytest.fixture
def served(settings: Settings, redis: Redis) -> Iterator[int]:
    """The API as a process; its port."""
    with serving(settings) as (_, port):
        yield port


@contextmanager
def serving(settings: Settings) -> Iterator[tuple["Popen[str]", int]]:
    """An API that answers, killed at the end; and its port."""
    port, is_ready = free_port(), ready_file(settings.data_dir, "api")
    is_ready.unlink(missing_ok=True)
    with start(environment(settings, port)) as process:
        wait_until(lambda: is_ready.exists() or process.poll() is not None, 60)
        yield process, port
        process.kill()


def ask(port: int, method: str, path: str, **headers: str) -> tuple[int, str, bytes]:
    """(status, Location, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, headers={"User-Agent": BROWSER} | headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location") or "", answer.read()
    finally:
        connection.close()


async def test_over_a_connection_there_is_one_spelling_and_one_place(
    served: int, settings: Settings, redis: Redis, log: Log
) -> None:
    await redis.set(keys.profile("ada"), b'{"user_id":"ada"}')
    await log.since(ENGAGEMENT)
    names, paths = zip(*(link(settings, purpose) for purpose in Purpose), strict=True)
    click, opened, trap, mute = paths
    there = settings.public_url + TARGET

    def requests() -> list[tuple[int, str, bytes]]:
        letter = f"%{ord(click[3]):02x}"
        return [
            ask(served, "GET", click), ask(served, "HEAD", click), ask(served, "GET", trap),
            ask(served, "HEAD", opened), ask(served, "GET", f"/c/{letter}{click[4:]}"),
            ask(served, "GET", click + "="), ask(served, "GET", mute), ask(served, "POST", click),
        ]  # fmt: skip

    got = await asyncio.to_thread(requests)
    assert [status for status, *_ in got] == [302, 302, 302, 200, 404, 404, 404, 405]
    assert [where for _, where, _ in got] == [there] * 3 + [""] * 5
    assert [len(body) for *_, body in got[:4]] == [0, 0, 0, 0]
    assert mute not in names
    reasons = [event.bot_reason for event in await events(log, 4)]
    assert sorted(reasons) == ["", "head", "head", "honeypot"]


async def test_killed_right_after_its_answers_the_next_one_tells_of_every_click(
    settings: Settings, redis: Redis, log: Log
) -> None:
    await redis.set(keys.profile("ada"), b'{"user_id":"ada"}')
    await log.since(ENGAGEMENT)
    links = dict(link(settings) for _ in range(20))

    def follow_and_kill() -> list[int]:
        with serving(settings) as (process, port):
            found = [ask(port, "GET", path)[0] for path in links.values()]
            process.kill()
        return found

    assert await asyncio.to_thread(follow_and_kill) == [302] * 20
    told = set[str]()
    with serving(settings):
        while told < set(links):
            told |= {event.notification_id for event in await events(log, 1)}
    assert told == set(links)
