"""What: notifications, sign-ups, stock."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from api.bodies import MOST, NotificationBody
from api.seed import words
from api.seed.fields import Fields
from api.seed.meant import Meant, meant
from api.seed.people import USER, scalars
from tocsin.errors import Invalid
from tocsin.records import encode
from tocsin.topics import MAX_RECORD_BYTES

_SKU: Final = ("productId", "itemId", "product")
_DATA: Final = ("data", "payload", "variables", "params", "templateData")
_BODY: Final = ("message", "body", "content", "text", "notification")
_TITLE: Final = ("title", "subject", "heading")
_PLAIN: Final = {
    "template_id": ("templateId", "template"),
    "template_version": ("templateVersion",),
    "strategy": ("strategy",),
    "dedupe_key": ("dedupeKey", "deduplicationKey"),
    "collapse_key": ("collapseKey",),
    "send_at": ("sendAt", "scheduleTime", "scheduledTime", "scheduleAt", "scheduledAt"),
    "expires_at": ("expiresAt", "expireAt", "expiry"),
    "notification_id": ("notificationId", "messageId", "id"),
}


class Sending(NamedTuple):
    """The same words for each of `users`; `many` when they came as a list, under `users_name`."""

    users: list[str]
    users_name: str
    many: bool
    meant: Meant

    def one(self) -> bytes:
        """A body of POST /v1/notifications."""
        return encode({**self.meant.body, "user_id": self.users[0]})

    def batch(self) -> bytes:
        """A body of POST /v1/notifications:batch. Raises `Invalid` for one that is too large."""
        one = len(self.one())
        if one * len(self.users) > MAX_RECORD_BYTES:
            raise Invalid(
                self.users_name,
                f"{len(self.users):,} people times {one:,} bytes are more than "
                f"{MAX_RECORD_BYTES:,} bytes at once; send it in parts",
            )
        return encode({"requests": [{**self.meant.body, "user_id": u} for u in self.users]})


def notification(given: Mapping[str, Any]) -> Sending:
    """What sendNotification asks for. Raises `Invalid` with the caller's name of the field."""
    fields = Fields(given)
    users, users_name, many = _users(fields)
    body = {name: fields.take(name, *others) for name, others in _PLAIN.items()}
    if many and body["notification_id"] is not None:
        raise Invalid(fields.names["notification_id"], "cannot be the id of several notifications")
    body |= _kind_and_channels(fields)
    body["priority"] = words.priority(fields.take("priority", "priority"))
    body["category"] = fields.take("category", "category")
    body["data"] = _data(fields)
    found = Meant({n: v for n, v in body.items() if v is not None}, fields.names)
    # what is wrong with the words is wrong once, not for each person
    Meant({**found.body, "user_id": users[0]}, found.names).as_(NotificationBody)
    return Sending(users, users_name, many, found)


def _users(fields: Fields) -> tuple[list[str], str, bool]:
    many = fields.take("users", "userIds", "users", "recipients")
    if many is None:
        one = fields.need("user_id", *USER, "userIds")
        if not isinstance(one, list):
            return [words.text(one, fields.names["user_id"])], fields.names["user_id"], False
        many, fields.names["users"] = one, fields.names["user_id"]
    elif fields.take("user_id", *USER) is not None:
        raise Invalid(fields.names["user_id"], f"`{fields.names['users']}` is there too")
    name = fields.names["users"]
    if not isinstance(many, list) or not 1 <= len(many) <= MOST:
        raise Invalid(name, f"expected a list of 1 to {MOST:,} ids")
    fields.names["user_id"] = name
    return [words.text(each, f"{name}[{i}]") for i, each in enumerate(many)], name, True


def _kind_and_channels(fields: Fields) -> dict[str, Any]:
    """`type` is the notification's, or in many documents the channel."""
    ways = fields.take("channels", "channels", "channel", "deliveryChannels", "deliveryChannel")
    kind = fields.take("type", "type")
    if (way := words.channel(kind)) and (ways is None or way in (words.channels(ways) or ())):
        if ways is None:
            ways, fields.names["channels"] = kind, fields.names["type"]
        kind = None
    if kind is None:
        kind = fields.take("type", "notificationType", "eventType", "event") or "MESSAGE"
    ways = words.channels(ways)
    scalars(fields, "channels", ways)
    return {"type": words.type_name(kind), "channels": ways}


def _data(fields: Fields) -> dict[str, Any]:
    """The template's variables: the data, the words beside it, and whatever else there is."""
    data = fields.take("data", *_DATA)
    if data is not None and not isinstance(data, dict):
        raise Invalid(fields.names["data"], "expected an object")
    found = dict(data or {})
    said = fields.take("data.body", *_BODY)
    if isinstance(said, dict):
        inner = Fields(said, fields.names.pop("data.body"))
        said = inner.take("data.body", *_BODY)
        found |= _given({"title": inner.take("data.title", *_TITLE)}) | dict(inner.rest())
        fields.names.update(inner.names)
    if "data.body" in fields.names:
        fields.names["data.message"] = fields.names["data.body"]
    # templates call the words by either name
    found |= _given({"title": fields.take("data.title", *_TITLE), "body": said, "message": said})
    return dict(fields.rest()) | found


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def subscription(given: Mapping[str, Any]) -> Meant:
    """A body of POST /v1/subscriptions; whose it is may be said by the token."""
    fields = Fields(given)
    ways = words.channels(fields.take("channels", "channels", "channel", "type"))
    scalars(fields, "channels", ways)
    return meant(
        fields,
        {
            "user_id": _whose(fields),
            "sku": _sku(fields),
            "channels": ways,
            "wanted": fields.take("wanted", "quantity", "wanted", "qty"),
            "expires_at": fields.take("expires_at", "expiresAt", "expireAt", "expiry"),
            "subscription_id": fields.take("subscription_id", "subscriptionId"),
        },
    )


def wish(given: Mapping[str, Any]) -> Meant:
    """Whose sign-up for which SKU."""
    fields = Fields(given)
    return meant(fields, {"user_id": _whose(fields), "sku": _sku(fields)})


def _whose(fields: Fields) -> str | None:
    said = fields.take("user_id", *USER)
    return None if said is None else words.text(said, fields.names["user_id"])


def _sku(fields: Fields) -> str:
    """A SKU, where both are said; else the product's id stands for it."""
    said, product = fields.take("sku", "sku"), fields.take("product", *_SKU)
    if said is None and product is None:
        fields.need("sku", *_SKU)
    fields.names.setdefault("sku", fields.names.get("product", ""))
    return words.text(product if said is None else said, fields.names["sku"])


def stock(given: Mapping[str, Any], event_id: str, now: str) -> Meant:
    """An `InventoryChange`; `event_id` and `now` (RFC 3339) where the caller says none."""
    fields = Fields(given)
    sku = fields.take("sku", "sku")
    product = fields.take("product_id", "productId", "itemId", "product")
    if sku is None:
        sku, product = product, None
        fields.names["sku"] = fields.names.get("product_id", "productId")
    if sku is None:
        fields.need("sku", *_SKU)
    level = ("stock", "quantity", "available", "stockLevel", "newStock", "inventory", "count")
    delta = fields.take("delta", "delta", "change", "adjustment")
    available = fields.take("available", *level)
    if available is None and delta is None:
        fields.need("available", *level[:3])
    return meant(
        fields,
        {
            "event_id": fields.take("event_id", "eventId") or event_id,
            "sku": words.text(sku, fields.names["sku"]),
            "product_id": None if product is None else words.text(product, "productId"),
            "available": available,
            "delta": delta,
            "location": fields.take("location", "location", "warehouse", "warehouseId"),
            "version": fields.take("version", "version"),
            "occurred_at": fields.take("occurred_at", "occurredAt", "updatedAt", "timestamp")
            or now,
        },
    )
