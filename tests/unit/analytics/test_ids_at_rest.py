"""What of a delivery's ids is kept, and what is said by other columns."""

from datetime import UTC, datetime
from typing import Any

import pytest

from actors.providers.mime import message_id
from analytics.writer.tables import ACCEPTED, DELIVERIES
from tocsin.records import Outcome, State

AT = datetime(2026, 11, 24, tzinfo=UTC)


def kept(delivery_id: str, message: str = "") -> dict[str, Any]:
    row = Outcome(
        delivery_id, "n1", "u", "email", "T", State.DELIVERED, 1, AT, AT,
        provider="smtp", provider_message_id=message,
    )  # fmt: skip
    names = ("other_id", "message_id", "mail_domain")
    columns = dict(zip(DELIVERIES.names, DELIVERIES.fill([row]), strict=True))
    return {name: columns[name][0] for name in names}


def test_a_delivery_is_known_by_its_notification_and_channel() -> None:
    assert kept("n1:email")["other_id"] == ""
    row = Outcome("own", "n1", "u", "email", "T", State.ACCEPTED, 1, AT, AT)
    assert dict(zip(ACCEPTED.names, ACCEPTED.fill([row]), strict=True))["other_id"] == ["own"]


@pytest.mark.parametrize("delivery_id", ["n1:email", "own", "Zoë 🎁:email", "n" * 128 + ":email"])
def test_of_the_message_id_our_smtp_provider_makes_the_domain_is_kept(delivery_id: str) -> None:
    made = message_id(delivery_id, "Shop <news@shop.example>")
    found = kept(delivery_id, made)
    assert (found["message_id"], found["mail_domain"]) == ("", "shop.example")


@pytest.mark.parametrize(
    "other",
    ["", "SM1", "<a@b>", "<", ">", "<>", "<bjE6ZW1haWw@>", "<bjE6ZW1haWw>", "bjE6ZW1haWw@shop",
     message_id("n2:email", "news@shop.example")],
)  # fmt: skip
def test_any_other_message_id_is_kept_as_it_is(other: str) -> None:
    found = kept("n1:email", other)
    assert (found["message_id"], found["mail_domain"]) == (other, "")
