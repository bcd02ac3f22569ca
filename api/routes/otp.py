"""One-time passwords: ask for one, check one."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Depends, Response
from msgspec.structs import replace

from api.bodies import OtpBody, OtpCheck
from api.call import Call, answer, service
from api.otp_request import way_to
from api.schema import described
from api.services import Services
from tocsin.errors import Refused
from tocsin.records import encode
from tocsin.store.otp import Verdict
from tocsin.topics import OTP

router = APIRouter(tags=["otp"])

Caller = Annotated[Call, Depends(service("otp"))]

_REFUSALS: Final = {
    Verdict.WRONG: ("otp_wrong", "the code is wrong, used, replaced or over"),
    Verdict.EXHAUSTED: ("otp_exhausted", "checked too often; ask for a new code"),
    Verdict.LOCKED: ("otp_locked", "too many wrong codes in a row; the account is locked"),
}


class Challenge(msgspec.Struct):
    """Show this id again with the code. The code itself goes to the person only."""

    challenge_id: str
    expires_at: datetime


class Verified(msgspec.Struct):
    """The code was right, and is used up."""

    verified: bool


@router.post("/v1/otp", **described(OtpBody, Challenge, 202, ["otp"]))
async def request_otp(call: Caller) -> Response:
    """Send a code. Somebody unknown gets the same answer, and no code."""
    accepted_at = call.services.clock.now()
    return answer(await challenge(call.services, await call.body(OtpBody), accepted_at), 202)


async def challenge(services: Services, body: OtpBody, accepted_at: datetime) -> Challenge:
    """A code on its way. Raises `Refused` (429, 423) and what Kafka raises; then there is none."""
    profile = await services.profiles.get(body.user_id)
    way = way_to(profile, body.channel, services.settings.otp_prefixes())
    made = await services.otp.create(body.user_id, way.channel, body.purpose, way.recipient)
    try:
        words = services.catalogue.otp()
        locale = profile.locale if profile and words else ""
        value = encode(
            replace(made, accepted_at=accepted_at, template_version=words, locale=locale)
        )
        await services.publish.one(OTP, body.user_id, value)
    except (KafkaError, TimeoutError):
        await services.otp.withdraw(made.challenge_id)
        raise
    return Challenge(made.challenge_id, made.expires_at)


@router.post("/v1/otp/verify", **described(OtpCheck, Verified, 200, ["otp"]))
async def verify_otp(call: Caller) -> Response:
    """Check a code: 200 once, if right; 422 wrong, 410 checked too often, 423 locked."""
    body = await call.body(OtpCheck)
    await check(call.services, body.challenge_id, body.code)
    return answer(Verified(True))


async def check(services: Services, challenge_id: str, code: str) -> None:
    """Raises `Refused` unless the code is right; then it is used up."""
    verdict = await services.otp.verify(challenge_id, code)
    if verdict is not Verdict.VERIFIED:
        raise Refused(*_REFUSALS[verdict])
