"""A load run's report in Chromium: what a reader needs, at a desk and on a phone."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from loadtest.judge import gates
from loadtest.judge import report as reports
from tests.browser.shop_system import ARTEFACTS, CHROMIUM, MS, chromium
from tests.unit.loadtest.judge.made import HOSTILE, Made

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
]

expect.set_options(timeout=MS)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


@asynccontextmanager
async def opened(browser: Browser, file: Path, **how: Any) -> AsyncIterator[Page]:
    """The page, which asks for nothing, says nothing on the console and fits its width."""
    context = await browser.new_context(**how)
    context.set_default_timeout(MS)
    page, wrong = await context.new_page(), list[str]()
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request", lambda asked: wrong.append(asked.url) if asked.url != file.as_uri() else None
    )
    await page.goto(file.as_uri())
    yield page
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    scheme, width = how["color_scheme"], how["viewport"]["width"]
    await page.screenshot(path=ARTEFACTS / f"load-report-{scheme}-{width}.png", full_page=True)
    await context.close()
    assert wrong == []


async def test_a_report_reads_well_at_a_desk(browser: Browser, tmp_path: Path) -> None:
    kills = [(200.0, "kill -9 streams-1"), (350.0, "kill -9 sender-push-0")]
    made = Made(seconds=600, per_second=8, events=kills)
    run_dir = made.write(tmp_path)
    report = reports.write(run_dir, gates.load())
    how = {"viewport": {"width": 1200, "height": 800}, "color_scheme": "light"}
    async with opened(browser, run_dir.page, **how) as page:
        await expect(page).to_have_title(re.compile("^Passed: load run"))
        await expect(page.locator(".verdict")).to_contain_text("passed")
        accepted = f"{report.notifications:,} notifications accepted, every one accounted for"
        await expect(page.get_by_role("heading", level=1)).to_contain_text(accepted)
        await expect(page.locator("table.gates tr.passed")).to_have_count(
            sum(gate.mark == "passed" for gate in report.gates)
        )
        lost = page.locator("table.gates tr", has_text="Lost: accepted, never sent")
        await expect(lost).to_contain_text("held")
        # four over time, one a stream, CPU; a mark for each kill on every one of them
        plots = page.get_by_role("img")
        await expect(plots).to_have_count(4 + 4 + 1)
        await expect(plots.first).to_have_attribute("aria-label", re.compile("accepted between"))
        await expect(page.locator(".area .flag")).to_have_count(2 * 9)
        await expect(page.locator(".events li")).to_have_count(2)
        height = await plots.first.evaluate("node => node.getBoundingClientRect().height")
        assert height > 100
        figures = page.locator(".plot details").first
        await figures.locator("summary").click()
        await expect(figures.locator("tbody tr").first).to_be_visible()
        for part in ("streams", "clickhouse", "valkey"):
            await expect(page.get_by_role("rowheader", name=part, exact=True)).to_be_visible()
        await page.emulate_media(media="print")
        await page.set_viewport_size({"width": 690, "height": 980})  # A4 without its margins
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_failed_one_says_what_failed_on_a_phone_too(
    browser: Browser, tmp_path: Path
) -> None:
    made = Made(seconds=600, per_second=3, faults={"lost": 3}, answer=0.4,
                events=[(100.0, "fault: apns answers 503 for 60 s")])  # fmt: skip
    run_dir = made.write(tmp_path)
    reports.write(run_dir, gates.load())
    how = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}
    async with opened(browser, run_dir.page, **how) as page:
        await expect(page.locator(".verdict")).to_contain_text("failed")
        heading = page.get_by_role("heading", level=1)
        await expect(heading).to_contain_text("Lost: accepted, never sent: 3 (0 allowed)")
        bad = page.locator("table.gates tr.failed")
        await expect(bad.first).to_contain_text("did not hold")
        await expect(bad.first).to_contain_text(HOSTILE)
        more = page.locator(".faults details").first
        await more.locator("summary").click()
        await expect(more.locator("li")).to_have_count(2)


async def test_one_that_was_broken_off_says_so(browser: Browser, tmp_path: Path) -> None:
    made = Made(seconds=120, broken_off="no call was answered for 60 s", verdict=False,
                samples=False, received=False)  # fmt: skip
    run_dir = made.write(tmp_path)
    reports.write(run_dir, gates.load())
    how = {"viewport": {"width": 1200, "height": 800}, "color_scheme": "dark"}
    async with opened(browser, run_dir.page, **how) as page:
        await expect(page.get_by_role("heading", level=1)).to_contain_text("broken off")
        gaps = page.get_by_role("region", name="What is not known")
        await expect(gaps).to_contain_text("no call was answered for 60 s")
        await expect(gaps).to_contain_text("No verdict")
