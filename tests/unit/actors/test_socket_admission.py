"""Whom a hello admits, and from which pages."""

import re

import pytest

from actors.sockets import close_codes
from actors.sockets.admission import LONGEST_SECONDS, Grant, of_identity, parse
from actors.sockets.close_codes import Hangup
from actors.sockets.listener import origins
from tocsin.tokens import Identity


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        ("user:u1", Grant(user_id="u1")),
        ("user:a:b", Grant(user_id="a:b")),
        ("audience:ops", Grant(audience="ops")),
    ],
)
def test_a_ticket_grants_what_the_api_wrote(grant: str, expected: Grant) -> None:
    assert parse(grant) == expected


@pytest.mark.parametrize("grant", [None, "", "user:", "user", "audience:", "root:u1", ":u1"])
def test_any_other_ticket_grants_nothing(grant: str | None) -> None:
    with pytest.raises(Hangup) as caught:
        parse(grant)
    assert caught.value.code is close_codes.UNAUTHORIZED


def test_a_users_token_grants_the_inbox_until_it_ends() -> None:
    identity = Identity("u1", "user", frozenset({"stats:read"}), expires=160)
    assert of_identity(identity, 100) == Grant(user_id="u1", seconds=60)
    assert of_identity(identity, 900).seconds == 0
    endless = Identity("u1", "user", frozenset(), expires=1e12)
    assert of_identity(endless, 100).seconds == LONGEST_SECONDS


def test_a_services_token_grants_the_feed_if_it_may_read_statistics() -> None:
    reader = Identity("console", "service", frozenset({"stats:read"}), expires=160)
    assert of_identity(reader, 100) == Grant(audience="ops", seconds=60)
    with pytest.raises(Hangup) as caught:
        of_identity(Identity("shop", "service", frozenset({"otp"}), expires=160), 100)
    assert caught.value.code is close_codes.FORBIDDEN


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        ("https://shop.example", True),
        ("https://blog.example:8443", True),
        (None, True),
        ("http://localhost:3000", False),
        ("http://127.0.0.1:8080", False),
        ("http://[::1]:8080", False),
        ("https://blog.example", False),
        ("http://shop.example", False),
        ("https://shop.example.evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1:8080.evil.example", False),
        ("https://evil.example", False),
        ("null", False),
    ],
)
def test_pages_of_a_public_shop_and_those_named_may_connect(
    origin: str | None, welcome: bool
) -> None:
    assert welcome == may_connect(origin, "https://Shop.example:443/base/")


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        ("http://localhost:3000", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("https://blog.example:8443", True),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1:8080.evil.example", False),
        ("https://evil.example", False),
        ("null", False),
    ],
)
@pytest.mark.parametrize("shop", ["http://127.0.0.1:8080", "http://localhost:9000/"])
def test_any_page_of_this_machine_may_while_the_shop_is_on_it(
    shop: str, origin: str, welcome: bool
) -> None:
    assert welcome == may_connect(origin, shop)


def may_connect(origin: str | None, shop: str) -> bool:
    """As the library asks."""
    return any(
        origin is not None and rule.fullmatch(origin) is not None
        if isinstance(rule, re.Pattern)
        else rule == origin
        for rule in origins(shop, ["https://blog.example:8443"])
    )
