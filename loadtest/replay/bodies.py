"""Events as what goes over the wire. Ids come from the file, so sending again changes nothing.

Ids hang on the *edition*: the file's bytes, the initial stock and the run's name. The same edition
sent twice (after a crash, say) is recognised everywhere; another file, or the same one under
another run's name, is told anew.
"""

from typing import Any

from loadtest.people import person
from loadtest.replay.events import Order, Register, SignUp, Stock
from tocsin.ids import derived_id
from tocsin.records import InventoryChange

_EPOCH_2020 = 1_577_836_800
_RECORDS_PER_SECOND_OF_START = 1 << 22


class Bodies:
    """Bodies of one edition. `started` (Unix seconds) orders stock changes of successive runs."""

    def __init__(self, edition: str, started: float) -> None:
        self._edition = edition
        # file time cannot order runs: a second run begins a month before the first one ended
        self._versions = (int(started) - _EPOCH_2020) * _RECORDS_PER_SECOND_OF_START

    def user(self, event: Register) -> dict[str, Any]:
        """An item of `POST /v1/users:batch`."""
        profile = person(event.customer)
        return {
            "user_id": profile.user_id,
            "name": profile.name,
            "email": profile.email,
            "phone": profile.phone,
            "locale": profile.locale,
            "devices": {
                name: {"platform": device.platform, "token": device.token}
                for name, device in profile.devices.items()
            },
        }

    def subscription(self, event: SignUp) -> dict[str, Any]:
        """An item of `POST /v1/subscriptions:batch`."""
        return {
            "subscription_id": self._id("signup", event.customer, event.sku, str(event.row)),
            "user_id": event.customer,
            "sku": event.sku,
        }

    def order(self, event: Order) -> dict[str, Any]:
        """An item of `POST /v1/notifications:batch`."""
        kind = "ORDER_UPDATE" if event.returned else "ORDER_CONFIRMATION"
        return {
            "notification_id": self._id(kind, event.invoice),
            "user_id": event.customer,
            "type": kind,
            "priority": "high",
            "data": _order_data(event),
        }

    def change(self, event: Stock) -> InventoryChange:
        """A record of `inventory.changes`, at file time."""
        kind = "restock" if event.restock else "row"
        return InventoryChange(
            event_id=f"replay:{self._edition}:{kind}:{event.number}",
            sku=event.sku,
            occurred_at=event.at,
            available=event.available,
            version=self._versions + event.number,
        )

    def _id(self, *parts: str) -> str:
        return derived_id("replay", self._edition, *parts)


def _order_data(event: Order) -> dict[str, Any]:
    data: dict[str, Any] = {
        "order": event.invoice,
        "items": event.items,
        "total": f"{event.total:.2f}",
        "currency": "GBP",
    }
    if event.returned:
        return data | {"kind": "return"}
    return data | {"country": event.country, "name": person(event.customer).name}
