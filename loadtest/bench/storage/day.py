"""A day's outcomes, in the order in which they come to the topic. The same seed, the same day."""

import math
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any, Final, NamedTuple
from zlib import crc32

from actors.providers.mime import message_id
from loadtest.bench.storage import mix
from tocsin.ids import derived_id
from tocsin.records import Channel, NotificationRequest, Outcome, State

_SENDER: Final = "Shop <news@shop.example>"
_KINDS: Final = tuple(accumulate(kind.share for kind in mix.KINDS))
_ENDS: Final = tuple(accumulate(share for *_, share in mix.ENDS))
_DOMAINS: Final = tuple(accumulate(share for _, share in mix.DOMAINS))
_PROVIDERS: Final = {"inapp": "inbox", "push": "fcm", "email": "smtp", "sms": "twilio"}
_NOBODY_TRIED: Final = ("suppressed", "expired", "cancelled")
_ACKED: Final = 0.3
"""The share of in-app messages that a device says it has."""


class Wave(NamedTuple):
    """One thing told to many: when it began, its id, its data's hash, and how many are left."""

    began: float
    name: str
    data_hash: int
    left: int


class Told(NamedTuple):
    """One notification: its request, and the outcomes of its deliveries as pairs and receipts."""

    request: NotificationRequest
    outcomes: list[Outcome]


class Day:
    """Notifications for ever, `mix.DELIVERIES_A_DAY` deliveries a day from `start` on."""

    def __init__(self, start: datetime, seed: int = 7) -> None:
        self._random = Random(seed)
        self._now = start.timestamp()
        self._waves: dict[str, Wave] = {}

    @property
    def now(self) -> datetime:
        """How far it has come."""
        return datetime.fromtimestamp(self._now, UTC)

    def told(self, count: int) -> Iterator[Told]:
        """At least so many deliveries."""
        step = 86_400 / mix.DELIVERIES_A_DAY
        while count > 0:
            told = self._one()
            ends = sum(each.state is State.ACCEPTED for each in told.outcomes)
            self._now += ends * step * self._random.expovariate(1)
            count -= ends
            yield told

    def _one(self) -> Told:
        draw = self._random.random
        kind = mix.KINDS[_at(_KINDS, draw())]
        wave = self._wave(kind)
        user_id = f"customer-{self._random.randrange(mix.PEOPLE):07}"
        began = wave.began if kind.wave > 1 else self._now
        chosen = draw() < kind.chosen
        name = self._derived(wave, user_id) if chosen else self._made(began)
        accepted_at = datetime.fromtimestamp(round(began, 3), UTC)
        request = NotificationRequest(name, user_id, kind.name, accepted_at=accepted_at)
        locale = crc32(user_id.encode()) % mix.LOCALES
        named = draw() < kind.by_name
        data_hash = wave.data_hash if kind.wave > 1 else self._random.getrandbits(32)
        outcomes: list[Outcome] = []
        for channel in self._channels(kind):
            words = f"{wave.name}{locale}{channel}{name if named else ''}"
            outcomes += self._delivery(request, kind, channel, (crc32(words.encode()), data_hash))
        return Told(request, outcomes)

    def _channels(self, kind: mix.Kind) -> Sequence[str]:
        place = _at(tuple(accumulate(share for _, share in kind.channels)), self._random.random())
        return kind.channels[place][0]

    def _wave(self, kind: mix.Kind) -> Wave:
        wave = self._waves.get(kind.name)
        if wave is None or not wave.left:
            name = uuid.UUID(int=self._random.getrandbits(128)).hex
            wave = Wave(self._now, name, self._random.getrandbits(32), kind.wave)
        self._waves[kind.name] = wave._replace(left=wave.left - 1)
        return wave

    def _derived(self, wave: Wave, user_id: str) -> str:
        return derived_id(wave.name, user_id, str(self._now))

    def _made(self, at: float) -> str:
        millis, random = int(at * 1000), self._random.getrandbits(80)
        value = millis << 80 | random
        return str(uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))

    def _delivery(
        self, request: NotificationRequest, kind: mix.Kind, channel: str, hashes: tuple[int, int]
    ) -> list[Outcome]:
        state, reason, _ = mix.ENDS[_at(_ENDS, self._random.random())]
        early = state in _NOBODY_TRIED
        attempt, wait = (0, 0.0) if early else self._attempts(kind)
        opened_at = self._now + self._random.uniform(0.002, 0.05)
        ended_at = opened_at + wait + (0 if early else self._turn(channel))
        delivery_id = f"{request.notification_id}:{channel}"
        provider = "" if early else self._provider(channel)
        sent = state == "delivered"
        accepted_at = request.accepted_at or datetime.fromtimestamp(self._now, UTC)

        def outcome(state: str, at: float, **more: Any) -> Outcome:
            return Outcome(
                delivery_id, request.notification_id, request.user_id, Channel(channel),
                kind.name, State(state), at=datetime.fromtimestamp(round(at, 3), UTC),
                accepted_at=accepted_at, template_id=kind.name, template_version=3, **more,
            )  # fmt: skip

        trace = (
            f"rules=8c1f03aa;category={kind.category};priority=normal;opt_out=no;muted=no;"
            f"address=yes;dedupe=new;quiet={'yes' if wait > 3600 else 'no'};strategy=all"
        )
        found = [
            outcome("accepted", opened_at, attempt=0, trace=trace),
            outcome(
                state, ended_at, attempt=attempt, reason=reason, provider=provider,
                provider_message_id=self._message_id(delivery_id, provider) if sent else "",
                destination="" if early else self._destination(channel, request.user_id),
                content_hash=0 if early else hashes[0], data_hash=0 if early else hashes[1],
            ),
        ]  # fmt: skip
        if channel == "inapp" and sent and self._random.random() < _ACKED:
            acked_at = ended_at + self._random.expovariate(1 / 120)
            found.append(outcome("acked", acked_at, attempt=0, provider="socket"))
        return found

    def _attempts(self, kind: mix.Kind) -> tuple[int, float]:
        draw = self._random.random()
        if draw < mix.RETRIED:
            attempt = 2 + int(self._random.expovariate(1.5))
            return attempt, self._random.uniform(1, 30) * 2**attempt
        waits = draw < mix.RETRIED + mix.DEFERRED and kind.category == "promotional"
        return 1, self._random.uniform(0.5, 9) * 3600 if waits else 0.0

    def _turn(self, channel: str) -> float:
        median, sigma = mix.LATENCY[channel]
        return self._random.lognormvariate(math.log(median), sigma) / 1000

    def _provider(self, channel: str) -> str:
        return "apns" if channel == "push" and self._random.random() < 0.4 else _PROVIDERS[channel]

    def _message_id(self, delivery_id: str, provider: str) -> str:
        bits = self._random.getrandbits
        match provider:
            case "apns":
                return str(uuid.UUID(int=bits(128), version=5))
            case "fcm":
                return f"0:{int(self._now * 1e6) + bits(16):016}%{bits(64):016x}"
            case "twilio":
                return f"SM{bits(128):032x}"
            case "smtp":
                return message_id(delivery_id, _SENDER)
        return ""

    def _destination(self, channel: str, user_id: str) -> str:
        draw = crc32(user_id.encode()) / 2**32
        if channel == "email":
            return mix.DOMAINS[_at(_DOMAINS, draw)][0] or f"firm-{int(draw * 1e9) % 3000}.example"
        if channel == "sms":
            return mix.PREFIXES[int(draw * len(mix.PREFIXES))]
        return ("ios" if draw < 0.4 else "android") if channel == "push" else ""


def start_of(now: datetime) -> datetime:
    """Yesterday's midnight: a whole day that is over, and inside every retention."""
    return (now - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _at(bounds: Sequence[float], draw: float) -> int:
    return next((i for i, bound in enumerate(bounds) if draw < bound), len(bounds) - 1)
