"""Where links lead: short, by the web, to no other host, and told without what names people."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.links.target import is_web, lengthened, location, shortened, told

PUBLIC = "https://shop.example"


@given(st.text(max_size=60))
def test_what_is_made_short_is_made_whole_again(rest: str) -> None:
    for url in (PUBLIC + rest, PUBLIC + "/" + rest, "https://other.example/" + rest):
        assert lengthened(shortened(url, PUBLIC), PUBLIC) == url


@given(st.text(max_size=60))
def test_a_path_leads_to_our_own_host_whatever_it_says(rest: str) -> None:
    whole = lengthened("/" + rest, PUBLIC)
    assert whole.startswith(f"{PUBLIC}/")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "//x.example/a", "/shop", "", "http://",
        "https:///x", "ftp://x.example", "https://x\r\nset-cookie: a", "https://[x/", "HTTPS//x",
    ],
)  # fmt: skip
def test_only_the_web_is_a_target(url: str) -> None:
    assert not is_web(url)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_a_location_is_one_line_of_ascii_on_the_same_host(rest: str) -> None:
    url = "https://x.example/" + rest
    if not is_web(url):
        return
    found = location(url)
    assert found.isascii()
    assert found.isprintable()
    assert " " not in found
    assert urlsplit(found).hostname == "x.example"


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("https://x.example/a%20b?c=d&e=[1]#f", "https://x.example/a%20b?c=d&e=[1]#f"),
        ("https://x.example/a b\\c", "https://x.example/a%20b%5Cc"),
        ("https://bücher.example:8443/straße?q=ü", "https://xn--bcher-kva.example:8443/stra%C3%9Fe?q=%C3%BC"),
    ],
)  # fmt: skip
def test_a_location_is_the_same_place_as_a_browser_understands_it(url: str, header: str) -> None:
    assert location(url) == header


def test_the_books_are_told_the_place_and_not_the_person() -> None:
    assert told("https://ada:pw@x.example:81/reset?mail=ada@x.example#ada") == (
        "https://x.example:81/reset"
    )
