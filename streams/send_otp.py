"""The OTP agent, alone in its process: challenges in, a hand-off to the provider, outcomes out."""

from collections.abc import Sequence
from datetime import datetime

from aiokafka import AIOKafkaProducer

from actors.pool import Pools
from streams.bury import Bury
from streams.consume import Record
from streams.emit import Emit
from tocsin.clock import Clock
from tocsin.errors import Invalid
from tocsin.metrics import OUTCOMES
from tocsin.records import OtpChallenge, Outcome, State, decode
from tocsin.store import SendResult


class SendOtp:
    """Work for ``notification.otp``. The lane retries by itself, within the code's short life."""

    def __init__(self, producer: AIOKafkaProducer, pools: Pools, bury: Bury, clock: Clock) -> None:
        self._producer, self._pools, self._bury, self._clock = producer, pools, bury, clock

    async def __call__(self, records: Sequence[Record]) -> None:
        read = [found for record in records for found in await self._challenge(record)]
        results = await self._pools.send_otp([challenge for challenge, _ in read]) if read else []
        emit, now = Emit(self._producer), self._clock.now()
        for (challenge, record), result in zip(read, results, strict=True):
            accepted_at = challenge.accepted_at or record.at
            emit.outcomes(outcomes(challenge, result, accepted_at, now), record.partition)
            OUTCOMES.labels(challenge.channel, result.state).inc()
        await emit.flush()

    async def _challenge(self, record: Record) -> list[tuple[OtpChallenge, Record]]:
        try:
            return [(decode(OtpChallenge, record.value), record)]
        except Invalid as error:
            await self._bury.one(*record[:4], error)
            return []


def outcomes(
    challenge: OtpChallenge, result: SendResult, accepted_at: datetime, now: datetime
) -> tuple[Outcome, Outcome]:
    """The opening and the end, in one record: an OTP is never long in flight."""
    state = State.FAILED if result.state is State.RETRY else result.state
    return tuple(  # type: ignore[return-value]
        Outcome(
            delivery_id=f"{challenge.challenge_id}:{challenge.channel}",
            notification_id=challenge.challenge_id,
            user_id=challenge.user_id,
            channel=challenge.channel,
            type="OTP",
            state=each,
            attempt=0 if each is State.ACCEPTED else 1,
            accepted_at=accepted_at,
            at=now,
            reason="" if each is State.ACCEPTED else result.reason,
            provider="" if each is State.ACCEPTED else result.provider,
            provider_message_id="" if each is State.ACCEPTED else result.provider_message_id,
            template_id="OTP",
            destination="" if each is State.ACCEPTED else result.destination,
        )
        for each in (State.ACCEPTED, state)
    )
