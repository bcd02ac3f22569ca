"""Which way a one-time code goes to a person."""

from typing import NamedTuple

from tocsin.errors import Invalid
from tocsin.records import Channel, Profile


class Way(NamedTuple):
    """`recipient` None: there is no such way to this person, and nobody may notice."""

    channel: Channel
    recipient: str | None


def way_to(profile: Profile | None, wanted: Channel | None, prefixes: tuple[str, ...] = ()) -> Way:
    """By SMS, or to somebody without a phone by push, unless a channel is wanted.

    `prefixes` are the dialling prefixes codes may go to, all where there are none: a number
    elsewhere is no way to this person, which keeps pumped traffic off the bill.

    Raises `Invalid` for channels that are no second factor: whoever reads a person's mail or is
    logged in to the shop may be the one to keep out.
    """
    if wanted not in (None, Channel.SMS, Channel.PUSH):
        raise Invalid("channel", f"codes go by sms or push, not by {wanted}")
    phone = profile.phone if profile else None
    if phone and prefixes and not phone.startswith(prefixes):
        phone = None
    device = _newest_device(profile) if profile else None
    if wanted is Channel.PUSH or (wanted is None and not phone and device):
        return Way(Channel.PUSH, device)
    return Way(Channel.SMS, phone)


def _newest_device(profile: Profile) -> str | None:
    """``platform:token`` of the device heard of last: a code goes to one place only."""
    if not profile.devices:
        return None
    newest = max(
        profile.devices.values(), key=lambda d: d.updated_at.timestamp() if d.updated_at else 0
    )
    return f"{newest.platform}:{newest.token}"
