"""What the replay, the bench and the restock agent send can be said in the bundled words."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from loadtest.bench.traffic import _TYPE
from loadtest.replay.bodies import Bodies
from loadtest.replay.events import Order
from streams.restock import _request
from tocsin.records import Channel, Subscription
from tocsin.templates import Catalogue, Chosen

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize("channel", list(_TYPE))
def test_the_benchs(channel: Channel) -> None:
    kind, data = _TYPE[channel]
    assert Catalogue().choose(kind, None, None, data) == Chosen(kind, 0)


@pytest.mark.parametrize("returned", [False, True])
def test_the_replays(returned: bool) -> None:
    order = Order(NOW, 1, "17850", "536365", returned, 3, Decimal("17.85"), "United Kingdom")
    body = Bodies("e", 1_700_000_000.0).order(order)
    kind = body["type"]
    assert Catalogue().choose(kind, None, None, body["data"]) == Chosen(kind, 0)


def test_the_restock_agents() -> None:
    request = _request(Subscription("s", "u", "85123A", NOW), 9, NOW)
    assert Catalogue().choose(request.type, None, None, request.data).version == 0
