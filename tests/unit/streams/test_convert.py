"""Orders are sales: what of a confirmation counts, and what it is owed to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.convert import Convert, sale_of
from tests.unit.tocsin.link_makers import AT
from tocsin.records import Engagement, NotificationRequest, decode
from tocsin.store.clicks import Message, Sale


def order(data: dict[str, Any], kind: str = "ORDER_CONFIRMATION") -> NotificationRequest:
    return NotificationRequest("n1", "ada", kind, data)


def test_an_order_is_a_sale_with_its_number_and_total() -> None:
    sale = sale_of(order({"order": "536365", "total": "139.12", "currency": "GBP"}), AT)
    assert sale == Sale("ada", AT, "536365", 139.12, "GBP")


@pytest.mark.parametrize("data", [{"order_id": 7}, {"invoice": "7"}, {"order": 7, "total": None}])
def test_its_number_has_other_names(data: dict[str, Any]) -> None:
    assert sale_of(order(data), AT) == Sale("ada", AT, "7")


@pytest.mark.parametrize("data", [{}, {"order": ""}, {"order": "x" * 129}, {"order": ["7"]}])
def test_without_a_number_it_is_none(data: dict[str, Any]) -> None:
    assert sale_of(order(data), AT) is None


def test_other_messages_are_none() -> None:
    assert sale_of(order({"order": "7"}, "ORDER_UPDATE"), AT) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["order", "total", "currency", "invoice"]), JSON))
def test_whatever_it_says_nothing_is_raised(data: dict[str, Any]) -> None:
    sale = sale_of(order(data), AT)
    assert sale is None or (0 <= sale.value <= 1e12 and len(sale.currency) <= 3)


class Stand:
    """The store's answers, and what was written."""

    def __init__(self, *owed: Message | None) -> None:
        self._owed, self.asked = owed, 0
        self.written: list[Engagement] = []

    async def owed(self, sales: list[Sale]) -> list[Message | None]:
        self.asked += bool(sales)
        return list(self._owed[: len(sales)])

    async def send(self, topic: str, value: bytes, key: bytes) -> Any:
        self.written.append(decode(Engagement, value))

        async def durable() -> None: ...

        return durable()


async def test_a_batch_is_one_question_and_what_is_owed_is_an_event() -> None:
    stand: Any = Stand(Message("m1", "email", "SALE_OFFER"), None)
    requests = [(order({"order": str(n)}), AT) for n in (1, 2)]
    await Convert(stand, stand)([*requests, (order({"order": "3"}, "REVIEW"), AT)])
    assert stand.asked == 1
    (event,) = stand.written
    assert (event.kind, event.notification_id, event.user_id) == ("convert", "m1", "ada")
    assert (event.channel, event.type, event.reference) == ("email", "SALE_OFFER", "1")
    assert not event.bot


async def test_a_batch_without_orders_asks_nobody() -> None:
    stand: Any = Stand()
    await Convert(stand, stand)([(order({}, "REVIEW"), AT)])
    assert stand.asked == 0
