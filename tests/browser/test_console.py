"""The console on a Tocsin that is made up: what it shows, what it says when something is away."""

import csv
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Request, expect

from tests.browser import console_answers as answers
from tests.browser.console_page import (
    PREVIEW,
    Answer,
    Console,
    console,
    preview,
    problem,
    sent,
    series,
)
from tests.browser.shop_system import CHROMIUM, MS, chromium

pytestmark = [
    pytest.mark.integration,
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)"),
]

expect.set_options(timeout=MS)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as made:
        yield made


def number(con: Console, label: str) -> Locator:
    """A big number of the overview."""
    return con.page.locator(f'.number-card:has(.label:text-is("{label}")) .value')


async def test_the_overview_shows_figures_and_counts_on_live(browser: Browser) -> None:
    async with console(browser) as con:
        await con.open()
        page = con.page
        await expect(number(con, "Accepted")).to_have_text("1,294,789")
        await expect(number(con, "Lag")).to_have_text("1,516")
        await expect(page.locator("#dead-count")).to_have_text("2")
        await expect(page.locator("#state-text")).to_have_text("live")
        push = page.locator(".channel[data-channel=push]")
        await expect(push.locator(".percentiles dd")).to_have_text(["72 ms", "244 ms", "560 ms"])
        breakers = page.get_by_role("region", name="Providers").locator(".said")
        await expect(breakers).to_have_text(["closed", "half-open", "open", "closed"])
        await expect(breakers.locator("path")).to_have_count(4)
        await expect(page.locator(".chart .bar").first).to_be_attached()
        # text of others' stays text
        await expect(page.get_by_text(answers.HOSTILE)).to_be_visible()
        card = await push.element_handle()
        con.frame()
        await expect(number(con, "Accepted")).to_have_text("1,294,794")
        await expect(push.locator(".value")).to_have_text("375,670")
        await expect(page.locator(".feed-list li")).to_contain_text(["Order update"])
        assert card is not None
        assert await card.evaluate("node => node.isConnected")  # patched, not rebuilt
        await con.shoot("overview-light")


async def test_a_young_systems_chart_is_by_the_minute_once_something_has_ended(
    browser: Browser,
) -> None:
    async with console(browser) as con:
        whole, nothing_yet = con.answers["/v1/ops/series"], (200, {"step": "hour", "points": []})
        con.answers["/v1/ops/series"] = lambda _: nothing_yet
        await con.open()
        await expect(con.page.get_by_text("Nothing has ended yet")).to_be_visible()
        minutes = answers.series(1, "minute")["points"]
        con.answers["/v1/ops/series"] = lambda request: (
            whole(request)
            if "minute" in request.url
            else (200, {"step": "hour", "points": minutes})
        )
        await con.asks("/v1/ops/series?hours=1&step=minute")
        await expect(con.page.get_by_role("button", name="1 h", exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
        await expect(con.page.locator('.plot[data-chart="series"] .bar').first).to_be_attached()


async def test_a_chart_is_read_with_the_keyboard_and_as_a_table(browser: Browser) -> None:
    async with console(browser, color_scheme="dark") as con:
        await con.open()
        chart = con.page.locator('.plot[data-chart="series"]')
        await expect(chart).to_have_attribute(
            "aria-label", re.compile("In-app at most .*Arrow keys")
        )
        await chart.focus()
        await chart.press("End")
        await expect(chart.locator(".read-out div")).to_have_count(4)
        await chart.press("ArrowLeft")
        await expect(chart.locator(".read-out")).to_contain_text("Push")
        await chart.press("Escape")
        await expect(chart.locator(".read-out")).to_have_count(0)
        figure = con.page.locator(".chart", has=chart)
        await figure.get_by_text("As a table").click()
        await expect(figure.locator("tbody tr")).not_to_have_count(0)
        await con.page.get_by_role("button", name="By outcome").click()
        await expect(figure.locator(".legend li")).to_have_text(
            ["Delivered", "Suppressed", "Expired", "Cancelled", "Failed"]
        )
        await con.page.get_by_role("button", name="1 h", exact=True).click()
        await con.asks("/v1/ops/series?hours=1&step=minute")
        await con.shoot("overview-dark")


async def test_what_is_away_is_said_with_the_next_step_and_the_rest_stays(browser: Browser) -> None:
    async with console(browser) as con:
        await con.page.clock.install()
        away = {"kafka": True, "redis": True, "clickhouse": False}
        rows = [
            dict.fromkeys(answers.overview()["channels"][0]) | {"channel": name, "queued": 0}
            for name in answers.CHANNELS
        ]
        con.answers["/v1/ops/overview"] = lambda _: (
            200,
            answers.overview(engines=away, channels=rows),
        )
        con.answers["/v1/ops/series"] = lambda _: problem(
            503, "unavailable", "ClickHouse: figures come back when it does"
        )
        await con.open()
        page = con.page
        await expect(
            page.get_by_role("alert").filter(has_text="ClickHouse is away")
        ).to_contain_text("sending goes on")
        await expect(number(con, "Accepted")).to_have_text("–")
        await expect(number(con, "Sockets")).to_have_text("2,381")
        chart = page.get_by_role("region", name="Deliveries ended")
        await expect(chart).to_contain_text("figures come back when it does")
        con.answers["/v1/ops/series"] = series
        con.answers["/v1/ops/overview"] = lambda _: (200, answers.overview())
        await chart.get_by_role("button", name="Try again").click()
        await expect(chart.locator(".bar").first).to_be_attached()
        await page.clock.run_for(6_000)
        await expect(page.get_by_text("ClickHouse is away")).to_have_count(0)
        await expect(number(con, "Accepted")).not_to_have_text("–")


async def test_figures_stay_and_are_said_to_be_old_while_nobody_answers(browser: Browser) -> None:
    async with console(browser) as con:
        await con.page.clock.install()
        await con.open("#/waves")
        await expect(con.page.locator("tbody tr")).to_have_count(3)
        con.away = True
        for socket in con.sockets:
            await socket.close()
        await con.page.clock.run_for(31_000)
        await expect(con.page.locator(".stale")).to_contain_text("Shown is what was known")
        await expect(con.page.locator("tbody tr")).to_have_count(3)
        await expect(con.page.locator("#state-text")).to_have_text("no answer")
        await expect(con.page.locator(".banner").first).to_contain_text("Tocsin does not answer")
        con.away = False
        await con.page.clock.run_for(61_000)
        await expect(con.page.locator(".stale")).to_have_count(0)
        await expect(con.page.locator(".banner")).to_have_count(0)
        await expect(con.page.locator("#state-text")).to_have_text("live")


async def test_a_hidden_tab_asks_nothing_and_catches_up_when_it_is_seen(browser: Browser) -> None:
    async with console(browser) as con:
        await con.page.clock.install()
        await con.open("#/waves")
        await expect(con.page.locator("tbody tr")).to_have_count(3)
        hide = """hidden => {
            Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
        await con.page.evaluate(hide, True)
        before = len(con.asked)
        for _ in range(6):
            await con.page.clock.run_for(11_000)
        # what was on its way when the tab was hidden may still be counted, once for each source
        assert len(con.asked) - before <= 2
        before = len(con.asked)
        await con.page.evaluate(hide, False)
        await con.asks("/v1/ops/waves", before)
        await con.asks("/v1/ops/overview", before)


async def test_a_token_is_taken_from_the_address_and_kept_for_the_tab(browser: Browser) -> None:
    async with console(browser) as con:
        await con.open("#token=abc.def-1&/waves")
        await expect(con.page.get_by_role("heading", name="Restocks")).to_be_visible()
        assert con.page.url.endswith("/console#/waves")
        await con.asks("/v1/ops/waves")
        assert con.tokens == {"Bearer abc.def-1"}
        assert await con.page.evaluate("[sessionStorage.token, localStorage.length]") == [
            "abc.def-1",
            0,
        ]
        await con.page.get_by_role("button", name="Forget the token").click()
        await expect(con.page.get_by_role("button", name="Forget the token")).to_be_hidden()
        assert await con.page.evaluate("sessionStorage.length") == 0


async def test_away_from_the_sandbox_it_asks_for_a_token_first(browser: Browser) -> None:
    async with console(browser) as con:

        def guarded(request: Request) -> Answer:
            if request.headers.get("authorization") != "Bearer good":
                return problem(401, "unauthorized", "a token is needed")
            return 200, answers.overview()

        con.answers["/v1/ops/overview"] = guarded
        await con.open()
        form = con.page.locator(".sign-in")
        await expect(form).to_contain_text("Sign in with a token")
        await form.get_by_label("Token").fill("bad")
        await form.get_by_role("button", name="Go on").click()
        await expect(form).to_contain_text("not, or no more, good")
        await form.get_by_label("Token").fill("good")
        await form.get_by_role("button", name="Go on").click()
        await expect(number(con, "Accepted")).to_be_visible()
        await expect(form).to_have_count(0)


async def test_dead_letters_are_read_chosen_and_put_back(browser: Browser) -> None:
    async with console(browser) as con:
        con.letters += [
            answers.letter(f"inventory.changes:0:{n}", reason="") for n in range(100, 350)
        ]

        def replay(request: Request) -> Answer:
            if request.headers.get("authorization") is None:
                return problem(401, "unauthorized", "a service's token with ops:write is needed")
            places = sent(request)["places"]
            if "inventory.changes:0:340" in places:
                con.letters[:] = [
                    each for each in con.letters if each["place"] != "inventory.changes:0:340"
                ]
                return problem(
                    422,
                    "invalid",
                    "no such letter",
                    errors=[
                        {"pointer": "#/places/41", "detail": "there is no letter of this place"}
                    ],
                )
            con.letters[:] = [each for each in con.letters if each["place"] not in places]
            return 200, {"put_back": len(places)}

        con.answers["/v1/ops/dead-letters:replay"] = replay
        await con.open("#/dead")
        page = con.page
        look = "Look at the payload of inventory.changes:0:17"
        await page.get_by_role("button", name=look, exact=True).click()
        await expect(page.locator(".payload pre")).to_contain_text('"available": "many"')
        await expect(page.locator(".payload pre")).to_contain_text("<script>")
        await con.shoot("dead", full=False)
        await page.get_by_label("Choose all").check()
        await page.get_by_role("button", name="Put back 252").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Put these 252 letters back?")
        await dialog.get_by_role("button", name="Put back").click()
        await expect(dialog).to_contain_text("Putting back needs a token")
        await dialog.get_by_label("Token").fill("good")
        await dialog.get_by_role("button", name="Go on").click()
        await dialog.get_by_role("button", name="Put back").click()
        await expect(dialog).to_contain_text("200 of 252 were put back before this")
        await expect(dialog.get_by_role("alert")).to_contain_text(
            "#/places/41 inventory.changes:0:3"
        )
        await dialog.get_by_role("button", name="Cancel").click()
        await expect(page.locator("tbody tr:not(.below)")).to_have_count(51)
        await page.get_by_label("Choose all").check()
        await page.get_by_role("button", name="Put back 51").click()
        await dialog.get_by_role("button", name="Put back").click()
        await expect(page.locator("#told")).to_contain_text("51 put back")
        await expect(page.get_by_text("No dead letters")).to_be_visible()
        await expect(dialog).to_be_hidden()


async def test_a_person_is_found_and_the_way_of_a_notification_is_told(browser: Browser) -> None:
    async with console(browser) as con:
        con.answers["/v1/ops/search"] = lambda _: (
            200,
            {"users": [{"user_id": "17850"}], "notifications": []},
        )
        await con.open()
        await con.page.keyboard.press("/")
        await expect(con.page.get_by_role("searchbox")).to_be_focused()
        await con.page.keyboard.type("17850")
        await con.page.keyboard.press("Enter")
        await expect(con.page).to_have_url(re.compile("#/trace/u/17850$"))
        await con.page.get_by_role("link", name="Sale offer").click()
        await expect(con.page).to_have_url(re.compile("#/trace/n/n-1$"))
        ways = con.page.locator(".way")
        await expect(ways.locator(".conclusion")).to_have_text(
            [
                re.compile("Delivered, 100 ms after"),
                re.compile("Delivered by apns, 10 s after"),
                "Not sent because the person has muted this category on this channel.",
                "Waits because of quiet hours.",
            ]
        )
        sms = con.page.locator(".way[data-channel=sms]")
        await expect(sms.locator(".steps .decisive")).to_have_text(
            "The person has muted this category on this channel."
        )
        await expect(con.page.locator(".way[data-channel=push] .timeline > li")).to_have_count(3)
        await con.shoot("path")
        await con.page.go_back()
        await expect(con.page.get_by_role("link", name="Order confirmation")).to_be_visible()
        con.answers["/v1/notifications/n-2"] = lambda _: problem(
            404, "not_found", "nothing is known of it"
        )
        await con.page.evaluate("location.hash = '#/trace/n/n-2'")
        await expect(con.page.get_by_text("Nothing is known of this notification")).to_be_visible()


async def test_a_template_is_previewed_and_its_mail_runs_and_loads_nothing(
    browser: Browser,
) -> None:
    async with console(browser) as con:
        elsewhere: list[str] = []
        con.page.on("request", lambda r: elsewhere.append(r.url) if "elsewhere" in r.url else None)
        await con.open("#/templates/BACK_IN_STOCK")
        page = con.page
        await expect(page.locator(".bubble.push")).to_contain_text("Cake stand is here again")
        mail = page.frame_locator("iframe.mail-frame")
        await expect(mail.locator("h1")).to_have_text("Cake stand is here again")
        style = """node => {
            const { color, backgroundImage, padding } = getComputedStyle(node);
            return [color, backgroundImage, padding];
        }"""
        assert await mail.locator(".card").evaluate(style) == ["rgb(1, 2, 3)", "none", "24px"]
        assert await mail.locator("script, img, [href], [onerror]").count() == 0
        await expect(mail.locator("[data-image]").last).to_have_text("Cake stand")
        await page.get_by_label("Language").select_option("de")
        await expect(page).to_have_url(re.compile("version=2&locale=de$"))
        await expect(mail.locator("h1")).to_have_text("Es gibt wieder: Cake stand")
        await con.shoot("templates")
        await page.get_by_role("button", name="Text", exact=True).click()
        await expect(page.locator(".mail-text")).to_contain_text("Only a few are left.")
        assert elsewhere == []


async def test_what_is_wrong_with_a_templates_data_is_said_beside_it(browser: Browser) -> None:
    async with console(browser) as con:
        await con.open("#/templates/BACK_IN_STOCK")
        data, wrong = con.page.get_by_label("Data as JSON"), con.page.locator("#data-problem")
        await data.fill('{\n  "name": oops\n}')
        await expect(wrong).to_contain_text("Line 2")
        field = {"pointer": "#/data/available", "detail": "expected an integer"}
        con.answers[PREVIEW] = lambda _: problem(422, "invalid", "data.available", errors=[field])
        await data.fill('{\n  "name": "Lamp",\n  "available": "x"\n}')
        await expect(wrong).to_have_text("Line 3 #/data/available expected an integer")
        await expect(data).to_have_attribute("aria-invalid", "true")
        con.answers[PREVIEW] = preview
        await data.fill('{"name": "Lamp", "available": 3}')
        await expect(con.page.locator(".bubble.sms")).to_contain_text("Lamp is here again")
        await expect(wrong).to_be_hidden()
        con.answers["/v1/templates"] = lambda _: problem(401, "unauthorized", "a token is needed")
        await con.page.reload()
        await expect(con.page.get_by_text("This needs a token")).to_be_visible()


async def test_questions_are_asked_drawn_and_saved(browser: Browser, tmp_path: Path) -> None:
    async with console(browser) as con:
        await con.open("#/analytics")
        page = con.page
        await expect(page.locator(".bar-rows .name")).to_have_text(
            ["accepted", "delivered", "opened", "clicked", "converted"]
        )
        await page.get_by_label("When").select_option("168")
        await con.asks("/v1/stats/funnel?hours=168")
        await page.get_by_role("link", name="CTR by template version").click()
        await expect(page.locator(".whisker")).to_have_count(4)
        await page.get_by_label("Type").fill("SALE & more")
        await page.get_by_role("button", name="Ask").click()
        await con.asks("type=SALE+%26+more")
        await expect(page.locator(".whisker")).to_have_count(4)
        async with page.expect_download() as saving:
            await page.get_by_role("button", name="CSV").click()
        saved = await saving.value
        assert saved.suggested_filename == "ctr_by_template_version.csv"
        await saved.save_as(tmp_path / "saved.csv")
        with (tmp_path / "saved.csv").open(newline="") as file:
            rows = list(csv.reader(file))
        assert (rows[0][0], rows[2][0], rows[2][3]) == ("template_id", '\'=SALE, "now"', "0.031")
        await con.shoot("ctr")


@pytest.mark.parametrize("width", [390, 820])
async def test_it_fits_narrow_screens_and_every_view_is_reached(
    browser: Browser, width: int
) -> None:
    how = {"viewport": {"width": width, "height": 900}}
    async with console(browser, **how) as con:
        await con.open()
        for name, title in (
            ("waves", "Restocks"),
            ("dead", "Dead letters"),
            ("trace", "Trace"),
            ("templates", "Templates"),
            ("analytics", "Analytics"),
            ("overview", "Overview"),
        ):
            link = con.page.locator(f"#nav a[data-view={name}]")
            await link.focus()
            await link.press("Enter")
            await expect(con.page.locator("#view h1")).to_have_text(title)
            await expect(link).to_have_attribute("aria-current", "page")
            await expect(con.page.locator("#view .skeleton")).to_have_count(0)
            assert await con.fits(), name
        await con.shoot(f"narrow-{width}")
