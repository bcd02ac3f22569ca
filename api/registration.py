"""Registering a person: new, known already, or a contradiction."""

from datetime import datetime

from msgspec.structs import replace

from api.bodies import UserBody
from tocsin.errors import Refused
from tocsin.records import Device, Profile


class Registration:
    """A step for `People.change`. `created` says afterwards whether the person was new."""

    def __init__(self, body: UserBody, now: datetime) -> None:
        self._wanted = Profile(
            user_id=body.user_id,
            email=body.email,
            phone=body.phone,
            name=body.name,
            locale=body.locale,
            devices={i: replace(d, updated_at=now) for i, d in body.devices.items()},
            preferences=body.preferences,
            topics=tuple(sorted(set(body.topics))),
            attributes=body.attributes,
            created_at=now,
        )
        self.created = False

    def __call__(self, before: Profile | None) -> Profile:
        """The profile to have. Raises `Refused` ("conflict") when another one is there."""
        self.created = before is None
        if before is None:
            return self._wanted
        if _said(before) != _said(self._wanted):
            raise Refused(
                "conflict", f"user {before.user_id!r} is registered with other data; use PATCH"
            )
        return before


def _said(profile: Profile) -> Profile:
    """What a caller says of a person, without what is noted here."""
    devices = {i: Device(d.platform, d.token) for i, d in profile.devices.items()}
    return replace(profile, devices=devices, created_at=None, version=0)
