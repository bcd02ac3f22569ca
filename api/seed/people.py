"""Who: registering, devices, opting out, one-time codes."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from api.bodies import DeviceBody
from api.people import unknown_user
from api.seed import words
from api.seed.fields import Fields
from api.seed.meant import Meant, meant
from tocsin.errors import Invalid
from tocsin.records import CHANNELS, Channel, Preferences, Profile
from tocsin.records.fields import Category, Id

USER: Final = ("userId", "user", "customerId", "recipientId")
_TOKEN: Final = (
    "deviceToken", "token", "pushToken", "fcmToken", "apnsToken", "registrationToken",
    "newDeviceToken", "newToken",
)  # fmt: skip
_PLATFORM: Final = ("platform", "deviceType", "os")
_CATEGORIES: Final = ("transactional", "stock", "promotional", "security", "general")
"""What "everything on this channel" is; a shop's own categories are added where they are muted."""


def user_id(fields: Fields, *more: str) -> str:
    """Whose it is. Raises `Invalid`."""
    said = fields.need("user_id", *USER, *more)
    return words.text(said, fields.names["user_id"])


def registration(given: Mapping[str, Any]) -> Meant:
    """A body of POST /v1/users."""
    fields = Fields(given)
    return meant(
        fields,
        {
            "user_id": user_id(fields, "id"),
            "email": fields.take("email", "email", "emailAddress", "mail"),
            "phone": fields.take("phone", "phoneNumber", "phone", "mobile", "mobileNumber"),
            "name": fields.take("name", "name", "fullName", "displayName", "userName"),
            "locale": fields.take("locale", "locale", "language", "lang"),
            "devices": _devices(fields),
            "preferences": _preferences(fields),
        },
    )


def _devices(fields: Fields) -> Any:
    """The one device of the body under its platform's name, or a mapping of several."""
    if (token := fields.take("devices[...].token", *_TOKEN)) is None:
        return fields.take("devices", "devices")
    platform = words.platform(fields.take("devices[...].platform", *_PLATFORM), token)
    name = fields.take("devices", "deviceId") or str(platform)
    return {words.text(name, "deviceId"): {"platform": platform, "token": token}}


def _preferences(fields: Fields) -> Any:
    """Ours as they are; and "this channel, this category: yes or no"."""
    zone = fields.take("preferences.timezone", "timezone", "timezoneId", "tz")
    said = fields.take("preferences", "preferences", "notificationPreferences")
    if said is not None and not isinstance(said, dict):
        raise Invalid(fields.names["preferences"], "expected an object")
    inner = Fields(said or {}, fields.names.get("preferences", "preferences"))
    found = {
        "opted_out": inner.take("preferences.opted_out", "optedOut", "optOut", "unsubscribed"),
        "quiet_hours": inner.take("preferences.quiet_hours", "quietHours"),
        "timezone": inner.take("preferences.timezone", "timezone", "tz") or zone,
        "muted": _muted(inner),
    }
    fields.names.update(inner.names)
    return {name: value for name, value in found.items() if value is not None} or None


def _muted(inner: Fields) -> Any:
    """Raises `Invalid` for what is neither a channel's nor a category's yes or no."""
    muted = inner.take("preferences.muted", "muted")
    if not isinstance(muted, dict | None):
        return muted  # for the canonical body to refuse
    found, off = dict(muted or {}), _unwanted(inner)
    for name, on in list(inner.rest()):
        if not isinstance(on, bool):
            raise Invalid(inner.at(name), "expected true or false")
        if way := words.channel(name):
            off += [] if on else [Channel(way)]
        elif not on:
            found[words.category(name)] = list(CHANNELS)
    for category in _CATEGORIES if off else ():
        found[category] = list(dict.fromkeys([*found.get(category, ()), *off]))
    return found or None


def _unwanted(inner: Fields) -> list[Channel]:
    """A list of channels is a list of the wanted ones."""
    wanted = words.channels(inner.take("preferences.channels", "channels", "channel"))
    if not wanted:
        return []
    if not isinstance(wanted, list) or any(each not in CHANNELS for each in wanted):
        names = ", ".join(CHANNELS)
        raise Invalid(inner.names["preferences.channels"], f"expected a list of {names}")
    return [channel for channel in CHANNELS if channel not in wanted]


class NewToken(msgspec.Struct, frozen=True):
    """A device's current token; without `device_id` and `platform` of the one device there is."""

    user_id: Id
    token: Any
    platform: Any
    device_id: str | None


def device(given: Mapping[str, Any]) -> tuple[NewToken, Meant]:
    """What PUT updateDeviceToken says. Raises `Invalid`."""
    fields = Fields(given)
    whose, token = user_id(fields), fields.need("token", *_TOKEN)
    platform = fields.take("platform", *_PLATFORM)
    name = fields.take("device_id", "deviceId")
    there = None if name is None else words.text(name, fields.names["device_id"])
    return NewToken(whose, token, platform, there), meant(fields, {})


def placed(new: NewToken, profile: Profile | None, names: Meant) -> tuple[str, DeviceBody]:
    """Which device of the person it is, and what it is to be. Raises `Invalid`."""
    if profile is None:
        raise names.error(unknown_user(new.user_id))
    device_id, platform = new.device_id, new.platform
    if device_id is None and platform is None and len(profile.devices) == 1:
        ((device_id, only),) = profile.devices.items()
        platform = only.platform
    elif platform is None and device_id in profile.devices:
        platform = profile.devices[device_id].platform
    platform = words.platform(platform, new.token)
    body = Meant({"platform": platform, "token": new.token}, names.names).as_(DeviceBody)
    return device_id or body.platform, body


class OptOut(msgspec.Struct, frozen=True):
    """Without channels on all of them, without category of every category, without both of all."""

    user_id: Id
    channels: tuple[Channel, ...] = ()
    category: Category | None = None


def opt_out(given: Mapping[str, Any]) -> Meant:
    """An `OptOut`."""
    fields = Fields(given)
    ways = words.channels(fields.take("channels", "channels", "channel"))
    kind = fields.take("category", "category", "notificationType", "type")
    if ways is None and words.channel(kind):
        ways, kind = words.channels(kind), None
        fields.names["channels"] = fields.names["category"]
    scalars(fields, "channels", ways)
    return meant(
        fields,
        {"user_id": user_id(fields), "channels": ways or None, "category": words.category(kind)},
    )


def scalars(fields: Fields, name: str, value: Any) -> None:
    """A lone value that stands for a list of one has no index in the caller's body."""
    if name in fields.names and isinstance(value, list) and len(value) == 1:
        fields.names.setdefault(f"{name}[0]", fields.names[name])


def without(before: Preferences, what: OptOut) -> Preferences:
    """The preferences after an opt-out; again, they stay as they are."""
    if not what.channels and what.category is None:
        return before if before.opted_out else replace(before, opted_out=True)
    categories = (
        [what.category] if what.category else {**dict.fromkeys(_CATEGORIES), **before.muted}
    )
    muted = dict(before.muted)
    for each in categories:
        off = muted.get(each, ())
        muted[each] = tuple(dict.fromkeys((*off, *(what.channels or CHANNELS))))
    return before if muted == before.muted else replace(before, muted=muted)


def one_time_code(given: Mapping[str, Any]) -> Meant:
    """A body of POST /v1/otp. A number or a mailbox alone is taken for the account's id."""
    fields = Fields(given)
    account = user_id(fields, "accountId", "phoneNumber", "phone", "mobile", "email", "identifier")
    way = fields.take("channel", "channel", "via", "method")
    return meant(
        fields,
        {
            "user_id": account,
            "purpose": fields.take("purpose", "purpose", "reason"),
            "channel": words.channel(way) or way,
        },
    )


def reader(given: Mapping[str, Any]) -> str | None:
    """Whose inbox, where the body says it."""
    fields = Fields(given)
    said = fields.take("user_id", *USER)
    return None if said is None else words.text(said, fields.names["user_id"])
