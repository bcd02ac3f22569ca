"""The console on a whole system: what is sent is seen, what died is put back, and why is read."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.shop_system import ARTEFACTS, CHROMIUM, MS, chromium, running_shop
from tocsin.cli.pass_on import system_environment
from tocsin.kafka import start_producer
from tocsin.settings import Settings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
]

expect.set_options(timeout=MS)

LATER = "COMES_LATER"
"""A template that is not there yet."""


class System(NamedTuple):
    """What runs, and how to get at it from behind."""

    url: str
    data: Path
    token: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, sent, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    async def record(self, topic: str, key: str, value: Any) -> None:
        """A record that no API has looked at, as a producer of the shop's own writes it."""
        producer = await start_producer(
            Settings(kafka_url=system_environment(self.data)["TOCSIN_KAFKA_URL"])
        )
        await producer.send_and_wait(topic, json.dumps(value).encode(), key=key.encode())
        await producer.stop()


def tocsin(data: Path, *args: str) -> str:
    """What a command prints."""
    argv = [sys.executable, "-m", "tocsin.cli.main", *args, "--data", str(data)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    directory = tmp_path_factory.mktemp("console")
    with running_shop(directory) as shop:
        data = directory / "data"
        yield System(shop.removesuffix("/shop"), data, tocsin(data, "token", "--service", "test"))


@pytest.fixture
async def page(system: System) -> AsyncIterator[Page]:
    """A browser's; nothing may have gone wrong in it at the end."""
    wrong: list[str] = []
    async with chromium() as browser:
        made = await _page(browser)
        made.on("pageerror", lambda error: wrong.append(str(error)))
        made.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        yield made
    # what was refused on purpose (no token, data that does not fit) is in Chromium's console, too
    assert [each for each in wrong if not re.search("status of (401|422)", each)] == []


async def _page(browser: Browser) -> Page:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(MS)
    return await context.new_page()


async def shoot(page: Page, name: str) -> None:
    """Keep a picture, for people to look at."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    path = ARTEFACTS / f"console-system-{name}.png"
    await page.screenshot(path=path, full_page=True, animations="disabled")


async def test_an_operator_sees_mends_and_explains(system: System, page: Page) -> None:
    await _overview_shows_what_is_delivered(system, page)
    await _a_dead_letter_is_put_back_and_delivered(system, page)
    await _its_way_is_found_by_the_person(page)
    await _its_words_are_previewed(page)
    await _everything_opens(system, page)


async def _overview_shows_what_is_delivered(system: System, page: Page) -> None:
    """Beside the sandbox, without a token."""
    person = {"user_id": "ada", "email": "ada@example.org", "phone": "+447700900123"}
    system.ask("POST", "/v1/users", person)
    await page.goto(f"{system.url}/console")
    await expect(page.locator("#state-text")).to_have_text("live")
    channels = ["email", "sms", "push"]
    requests = [
        {
            "user_id": "ada",
            "type": "ORDER_UPDATE",
            "channels": channels,
            "data": {"order": f"A-{n}"},
        }
        for n in range(20)
    ]
    system.ask("POST", "/v1/notifications:batch", {"requests": requests})
    for channel in ("email", "sms"):
        card = page.locator(f".channel[data-channel={channel}]")
        await expect(card.locator(".told .value")).to_have_text("20")
        await expect(card.locator(".percentiles dd").first).to_have_text(re.compile(r"\d"))
    await expect(page.locator(".feed-list li")).not_to_have_count(0)
    held = page.get_by_role("region", name="Why deliveries did not arrive")
    await expect(held).to_contain_text("No address is known for this channel")
    await expect(page.locator('.plot[data-chart="series"] .bar').first).to_be_attached()
    await shoot(page, "overview")


async def _a_dead_letter_is_put_back_and_delivered(system: System, page: Page) -> None:
    lost = {
        "notification_id": "lost-and-found", "user_id": "ada", "type": "ORDER_UPDATE",
        "priority": "high", "template_id": LATER, "data": {"order": "A-7"}, "channels": ["email"],
    }  # fmt: skip
    await system.record("notification.requests", "ada", lost)
    await expect(page.locator("#dead-count")).to_have_text("1")
    await page.locator("#nav a[data-view=dead]").click()
    row = page.locator("tr[data-place]")
    await expect(row).to_contain_text("template_id")
    await expect(row).to_contain_text(f"there is no template '{LATER}'")
    await row.get_by_role("button", name="Look").click()
    await expect(page.locator(".payload pre")).to_contain_text('"order": "A-7"')
    await shoot(page, "dead")

    words = {"email": {"subject": "Order {{ order }}", "text": "Your order {{ order }} is late."}}
    body = {
        "template_id": LATER, "locales": {"en": words}, "variables": {"order": {"type": "string"}},
        "sample": {"order": "B-1"},
    }  # fmt: skip
    system.ask("POST", "/v1/templates", body)
    system.ask("POST", f"/v1/templates/{LATER}:publish", {"version": 1})
    await row.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Put back 1").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Put back").click()
    address = tocsin(system.data, "console")
    await dialog.get_by_label("Token").fill(address.partition("#token=")[2])
    await dialog.get_by_role("button", name="Go on").click()
    await dialog.get_by_role("button", name="Put back").click()
    await expect(page.get_by_text("No dead letters")).to_be_visible()
    await expect(page.locator("#dead-count")).to_be_hidden()


async def _its_way_is_found_by_the_person(page: Page) -> None:
    await page.keyboard.press("/")
    await page.keyboard.type("ada")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("#/trace/u/ada$"))
    found = page.locator("tbody tr", has_text="lost-and-found")
    await expect(found.locator(".ways .said")).to_have_text("delivered")
    await shoot(page, "person")
    await found.get_by_role("link").click()
    way = page.locator(".way[data-channel=email]")
    await expect(way.locator(".conclusion")).to_contain_text("Delivered by")
    await expect(way.locator(".timeline")).to_contain_text("There is an address to send it to.")
    await shoot(page, "path")


async def _its_words_are_previewed(page: Page) -> None:
    await page.locator(".way footer a").click()
    await expect(page.locator(".subject")).to_contain_text("Order B-1")
    await page.get_by_label("Data as JSON").fill('{"order": "C-3"}')
    await expect(page.locator(".mail")).to_contain_text("Your order C-3 is late.")
    await page.get_by_label("Data as JSON").fill("{}")
    await expect(page.locator("#data-problem")).to_contain_text("#/data/order")
    await page.locator("#nav a[data-view=templates]").click()
    await page.get_by_role("link", name="Back in stock").click()
    mail = page.frame_locator("iframe.mail-frame")
    await expect(mail.locator("body")).to_contain_text(re.compile(r"\w{3}"))
    await shoot(page, "templates")


async def _everything_opens(system: System, page: Page) -> None:
    for name in ("waves", "overview"):
        await page.locator(f"#nav a[data-view={name}]").click()
        await expect(page.locator("#view .panel").first).to_be_visible()
        await expect(page.locator("#view .skeleton")).to_have_count(0)
        await expect(page.locator("#view .trouble")).to_have_count(0)
    if not _has_questions(system):
        return
    await page.locator("#nav a[data-view=analytics]").click()
    await page.get_by_role("link", name="Funnel").click()
    steps = page.locator(".bar-rows b")
    await expect(steps.first).to_have_text("61")  # three times twenty, and the one that was lost
    await expect(steps).to_have_count(5)
    await shoot(page, "funnel")


def _has_questions(system: System) -> bool:
    """Whether this Tocsin answers questions about its books over HTTP."""
    return "/v1/stats" in system.ask("GET", "/openapi.json")["paths"]
