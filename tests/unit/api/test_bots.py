"""Machines are told from people by what they say and when they come; people never are machines."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.bots import AT_ONCE, Hit, bot_reason

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML,"
    " like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
PEOPLE = (
    IPHONE,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0"
    " Safari/537.36 Edg/131.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0"
    " Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML,"
    " like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/480.0]",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Version/4.0 Chrome/131.0 Mobile Safari/537.36 Instagram 350.0",
)  # fmt: skip
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
MACHINES = [
    ("preview", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"),
    ("preview", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"),
    ("preview", "WhatsApp/2.24.8 A"),
    ("preview", "TelegramBot (like TwitterBot)"),
    ("preview", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    ("scanner", "Mozilla/5.0 (Windows NT 10.0) Mimecast URL Protect"),
    ("scanner", "Microsoft Office Existence Discovery"),
    ("scanner", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/131.0"),
    ("monitor", "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"),
    ("library", "curl/8.5.0"),
    ("library", "python-requests/2.32.3"),
    ("library", "Go-http-client/2.0"),
    ("no_agent", ""),
    ("no_agent", "   "),
]


def hit(kind: Any = "click", agent: str = IPHONE, age: float = 60.0, **more: Any) -> Hit:
    headers = {"user-agent": agent, **more.pop("headers", {})}
    return Hit(kind, more.pop("method", "GET"), headers, age, **more)


@pytest.mark.parametrize("agent", PEOPLE)
@pytest.mark.parametrize("kind", ["click", "open"])
def test_people_are_people(kind: str, agent: str) -> None:
    assert bot_reason(hit(kind, agent)) == ""


@pytest.mark.parametrize(("reason", "agent"), MACHINES)
@pytest.mark.parametrize("kind", ["click", "open"])
def test_machines_say_what_they_are(kind: str, reason: str, agent: str) -> None:
    assert bot_reason(hit(kind, agent)) == reason
    assert bot_reason(hit(kind, agent.upper())) == reason


def test_a_picture_proxy_is_a_persons_and_apples_privacy_proxy_tells_nothing() -> None:
    for agent in (GMAIL, YAHOO):
        assert bot_reason(hit("open", agent)) == ""
    assert bot_reason(hit("open", "Mozilla/5.0")) == "apple_mpp"
    assert bot_reason(hit("click", "Mozilla/5.0")) == "scanner"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-purpose": "prefetch"}, {"sec-purpose": "prefetch;prerender"}, {"purpose": "Prefetch"},
        {"x-purpose": "preview"}, {"x-moz": "prefetch"},
    ],
)  # fmt: skip
def test_fetching_ahead_is_no_click(headers: dict[str, str]) -> None:
    assert bot_reason(hit(headers=headers)) == "prefetch"


def test_a_look_and_the_link_nobody_sees() -> None:
    assert bot_reason(hit(method="HEAD")) == "head"
    assert bot_reason(hit(trap=True, method="HEAD")) == "honeypot"


@given(st.floats(-3_600, AT_ONCE), st.sampled_from(PEOPLE), st.sampled_from(["click", "open"]))
def test_nobody_has_read_it_so_soon(age: float, agent: str, kind: str) -> None:
    assert bot_reason(hit(kind, agent, age)) == "too_fast"


@given(st.floats(AT_ONCE, 1e9, exclude_min=True), st.sampled_from(PEOPLE))
def test_later_it_is_a_person(age: float, agent: str) -> None:
    assert bot_reason(hit(agent=agent, age=age)) == ""


HEADERS = st.dictionaries(
    st.sampled_from(["user-agent", "sec-purpose", "purpose", "x-moz", "accept"]),
    st.text(max_size=50),
)


@given(st.sampled_from(["click", "open"]), st.text(max_size=8), HEADERS, st.floats(-10, 1e6))
def test_whatever_comes_there_is_an_answer_and_the_surest_reason_counts(
    kind: Any, method: str, headers: dict[str, str], age: float
) -> None:
    reason = bot_reason(Hit(kind, method, headers, age))
    assert reason in {
        "", "head", "prefetch", "apple_mpp", "preview", "scanner", "monitor", "library",
        "no_agent", "too_fast",
    }  # fmt: skip
    assert bot_reason(Hit(kind, method, headers, age, True)) == "honeypot"
    if reason not in ("", "too_fast"):
        assert bot_reason(Hit(kind, method, headers, age + 1e6)) == reason
