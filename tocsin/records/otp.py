"""A one-time password on its way: the challenge, never the code."""

import msgspec

from tocsin.records.fields import Id, Instant
from tocsin.records.notification import Channel


class OtpChallenge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The code itself lives encrypted in Redis under `challenge_id` until `expires_at`.

    `template_version` of the template OTP and the person's `locale` choose its words; 0 is bundled.
    """

    challenge_id: Id
    user_id: Id
    channel: Channel
    purpose: Id
    expires_at: Instant
    accepted_at: Instant | None = None
    template_version: int = 0
    locale: str = ""
