"""Origins as browsers send them."""

import pytest

from tocsin.origins import of_url, parse


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Shop.example/base?x=1#y", "https://shop.example"),
        ("https://shop.example:443/", "https://shop.example"),
        ("http://shop.example:443/", "http://shop.example:443"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:80/", "http://[::1]"),
    ],
)
def test_a_url_has_its_origin(url: str, origin: str) -> None:
    assert of_url(url) == origin


@pytest.mark.parametrize(
    "entry",
    [
        "shop.example", "*", "https://*.example", "null", "https://a.example/x", "ftp://a.example",
        "https://", "https://a.example:0", "https://a.example:65536", "https://u@a.example",
        "https://a.example?x", "https://a.example;https://b.example", "https://b\u00fccher.example",
    ],
)  # fmt: skip
def test_what_no_browser_sends_is_none(entry: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        parse(f"https://good.example,{entry}")


def test_none_are_none() -> None:
    assert parse("") == parse(" , ") == ()
