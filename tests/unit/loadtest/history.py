"""A correct history of a run, made from a seed: what clients asked for, what the providers got and
what the books say, with everything that is legal however odd it looks."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from loadtest.check.meaning import OTHER, TYPES
from loadtest.check.records import Collected, Ended, Received, Wave
from loadtest.load.run_dir import Asked, Lines, Person, Run, RunDir

START: Final = 1_795_000_000.0
SECONDS: Final = 3_600
PROVIDER: Final = {"push": "apns", "sms": "twilio", "email": "smtp"}
_KINDS: Final = (*sorted(set(TYPES) - {"OTP", "BACK_IN_STOCK", "DIGEST"}), "BIRTHDAY")
_PRIORITIES: Final = ("critical", "high", "normal", "normal", "low")


@dataclass
class History:
    """The files of a run before they are written; `plant` changes one thing in it."""

    people: dict[str, Person] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    waves: list[Wave] = field(default_factory=list)
    opted_out: dict[str, float] = field(default_factory=dict)
    quiet: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Accepted when, from, until."""

    tail: bytes = b""
    """What a kill left of a last line."""

    def receive(self, delivery: str, to: str, at: float, type_: str, way: str = "") -> None:
        """A receipt of a delivery at an address."""
        provider = PROVIDER.get(way or delivery.rpartition(":")[2], "")
        if provider == "apns" and to.startswith("android"):
            provider = "fcm"
        self.received.append(Received(0, at, provider, to, delivery, type_))

    def end(
        self,
        delivery: str,
        asked: Asked,
        state: str,
        at: float,
        reason: str = "",
        attempt: int = 1,
    ) -> None:
        """A row of the books."""
        row = Ended(delivery, asked.user, type_of(asked), state, reason, attempt, at)
        self.ended.append(row)

    def write(self, path: Path) -> RunDir:
        """As the run would have left it, the histories in two files."""
        path.mkdir()
        run_dir = RunDir(path)
        run = Run("r1", "day", 0.01, SECONDS, 1, "http://127.0.0.1", len(self.people), START, {})
        run_dir.run.write_bytes(msgspec.json.encode(run))
        _lines(run_dir.people, self.people.values())
        _lines(run_dir.asked("w1"), self.asked[::2])
        _lines(run_dir.asked("w2"), self.asked[1::2])
        with run_dir.asked("w2").open("ab") as file:
            file.write(self.tail)
        received = sorted(self.received, key=lambda receipt: receipt.received_at)
        _lines(run_dir.received, [replace(r, sequence=n) for n, r in enumerate(received, 1)])
        _lines(run_dir.ended, self.ended)
        _lines(run_dir.waves, self.waves)
        found = Collected(len(self.received), len(self.ended), len(self.waves))
        run_dir.collected.write_bytes(msgspec.json.encode(found))
        return run_dir


def _lines(path: Path, records: Any) -> None:
    lines = Lines(path)
    for record in records:
        lines.write(record)
    lines.close()


def type_of(asked: Asked) -> str:
    """The type of what is sent: clients do not say it of codes and sign-ups."""
    return asked.type or ("OTP" if asked.kind == "otp" else "BACK_IN_STOCK")


def addresses(person: Person, channel: str) -> list[str]:
    """Where somebody is reached."""
    match channel:
        case "push":
            return list(person.push)
        case "sms":
            return [person.sms] if person.sms else []
        case "email":
            return [person.email] if person.email else []
    return []


class _World:
    """Tocsin as it should be, on paper."""

    def __init__(self, seed: int, calls: int, people: int) -> None:
        self.chance = random.Random(seed)
        self.seed, self.calls = seed, calls
        self.found = History()
        for number in range(people):
            self._register(f"u{number}")
        self._ids = 0
        self._call = 0

    def make(self) -> History:
        for user in self._some(5):
            self._opt_out(user)
        for user in self._some(5):
            self._quiet_hours(user)
        moments = sorted(self.chance.uniform(0, SECONDS * 0.8) for _ in range(self.calls))
        for at in moments:
            act = self.chance.choices(
                (self._single, self._batch, self._otp, self._idle), (60, 20, 15, 5)
            )[0]
            act(START + at)
        self._stock()
        if self.chance.random() < 0.5:
            self.found.tail = b'{"kind":"notification","stream":"api","ca'
        return self.found

    def _some(self, number: int) -> list[str]:
        return self.chance.sample(sorted(self.found.people), number)

    def _register(self, user: str) -> None:
        chance = self.chance
        devices = [f"ios-{self.seed}-{user}", f"android-{self.seed}-{user}"]
        self.found.people[user] = Person(
            user,
            tuple(devices[: chance.randint(0, 2)]),
            f"+1{self.seed}{user[1:]}" if chance.random() < 0.9 else "",
            f"{user}@{self.seed}.example" if chance.random() < 0.9 else "",
        )

    def _asked(self, kind: str, at: float, outcome: str = "accepted", **more: Any) -> Asked:
        self._call += 1
        took = self.chance.uniform(0.005, 0.4)
        fields = {"stream": "api", "call": self._call, "intended": at, "began": at} | more
        return Asked(kind=kind, ended=at + took, outcome=outcome, **fields)  # type: ignore[arg-type]

    def _new_id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}{self.seed}-{self._ids}"

    def _opt_out(self, user: str) -> None:
        outcome = self.chance.choice(("accepted", "accepted", "accepted", "unknown"))
        asked = self._asked(
            "opt_out", START + self.chance.uniform(0, SECONDS / 2), outcome, user=user
        )
        self.found.asked.append(asked)
        if outcome == "accepted":
            self.found.opted_out[user] = asked.ended

    def _quiet_hours(self, user: str) -> None:
        at = START + self.chance.uniform(0, 900)
        began = START + self.chance.uniform(0, SECONDS * 0.6)
        until = began + self.chance.uniform(300, 1200)
        asked = self._asked("quiet_hours", at, user=user, quiet_from=began, quiet_until=until)
        self.found.asked.append(asked)
        self.found.quiet[user] = (asked.ended, began, until)

    def _idle(self, at: float) -> None:
        kind = self.chance.choice(("click", "connect", "ask"))
        self.found.asked.append(self._asked(kind, at, user="u1", id="whatever"))

    def _notification(self, at: float, **more: Any) -> Asked:
        chance = self.chance
        channels: tuple[str, ...] = ()
        if chance.random() < 0.5:
            every = ("inapp", "push", "sms", "email")
            channels = tuple(chance.sample(every, chance.randint(1, 3)))
        expires = at + chance.choice((120.0, 600.0)) if chance.random() < 0.2 else 0.0
        return self._asked(
            "notification", at, chance.choices(("accepted", "unknown", "refused"), (90, 6, 4))[0],
            id=self._new_id("n"), user=chance.choice(sorted(self.found.people)),
            type=chance.choice(_KINDS), channels=channels, priority=chance.choice(_PRIORITIES),
            expires_at=expires, **more,
        )  # fmt: skip

    def _single(self, at: float) -> None:
        asked = self._notification(at)
        self._tell(asked)
        if asked.outcome == "unknown" and self.chance.random() < 0.3:
            # asked again under its own name, as a client should
            self.found.asked.append(replace(asked, outcome="refused", began=at + 1, ended=at + 2))

    def _batch(self, at: float) -> None:
        first = self._notification(at)
        for _ in range(self.chance.randint(2, 6)):
            asked = self._notification(at)
            self._tell(replace(asked, call=first.call, ended=first.ended, outcome=first.outcome))

    def _otp(self, at: float) -> None:
        user = self.chance.choice([u for u, p in self.found.people.items() if p.sms])
        asked = self._asked("otp", at, id=self._new_id("c"), user=user, channels=("sms",))
        if self.chance.random() < 0.08:
            # the answer was lost, and the challenge's name with it
            self.found.asked.append(replace(asked, id="", outcome="unknown"))
            if self.chance.random() < 0.5:
                self._deliver(asked, "sms")
            return
        if self.chance.random() < 0.1:
            # another one asked for at once takes its place
            self.found.asked.append(asked)
            self.found.end(
                f"{asked.id}:sms", asked, "cancelled", at + 1, reason="code no longer valid"
            )
            asked = self._asked("otp", at + 0.5, id=self._new_id("c"), user=user, channels=("sms",))
        self._tell(asked)

    def _tell(self, asked: Asked) -> None:
        self.found.asked.append(asked)
        went = asked.outcome == "accepted" or (
            asked.outcome == "unknown" and self.chance.random() < 0.5
        )
        if went:
            meaning = OTHER if asked.kind == "notification" else TYPES["OTP"]
            for channel in asked.channels or TYPES.get(asked.type, meaning).channels:
                self._deliver(asked, channel)

    def _deliver(self, asked: Asked, channel: str) -> None:
        """One delivery to its end."""
        name, at = f"{asked.id}:{channel}", asked.ended + self.chance.uniform(0.01, 8)
        again = self.chance.random() < 0.03
        if again:
            # a retry, long after what was asked for meanwhile
            at += self.chance.uniform(40, 90)
            if asked.expires_at and at >= asked.expires_at - 1:
                why = "expires before the next attempt: 503"
                self.found.end(name, asked, "expired", asked.ended + 5, reason=why)
                return
        at, waited = self._after_quiet(asked, at)
        # decided on again after every wait, by what the person wants then
        why = self._suppressed(asked, channel, at)
        if why:
            self.found.end(name, asked, "suppressed", at, reason=why, attempt=0)
            return
        if asked.expires_at and at >= asked.expires_at:
            reason, moment = "expired", asked.expires_at + 0.1
            if waited:
                reason, moment = "expires_before_it_may_be_sent", asked.ended + 1
            self.found.end(name, asked, "expired", moment, reason=reason)
            return
        self._sent(asked, channel, at, again)

    def _suppressed(self, asked: Asked, channel: str, at: float) -> str:
        marketing = asked.type in TYPES and TYPES[asked.type].marketing
        if marketing and at > self.found.opted_out.get(asked.user, 1e18) + self.chance.uniform(
            0, 25
        ):
            return "opted_out"
        if channel != "inapp" and not addresses(self.found.people[asked.user], channel):
            return "no_address"
        return "capped:promotional" if marketing and self.chance.random() < 0.02 else ""

    def _after_quiet(self, asked: Asked, at: float) -> tuple[float, bool]:
        accepted, began, until = self.found.quiet.get(asked.user, (0, 0, 0))
        known = at > max(accepted, began) + self.chance.uniform(0, 25)
        if asked.priority == "critical" or asked.kind == "otp" or not (known and at < until):
            return at, False
        return until + self.chance.uniform(0, 5), True

    def _sent(self, asked: Asked, channel: str, at: float, again: bool) -> None:
        name, fate = f"{asked.id}:{channel}", self.chance.random()
        user = self.found.people[asked.user]
        type_ = type_of(asked)
        to = addresses(user, channel)
        if fate > 0.98 and asked.kind == "notification":
            self.found.end(name, asked, "failed", at, reason="ambiguous")
            to = self.chance.sample(to, self.chance.randint(0, len(to)))
        else:
            self.found.end(name, asked, "delivered", at + 0.1, attempt=2 if again else 1)
            if len(to) > 1 and fate < 0.1:
                to = to[:1]  # one device took it, the other was gone
        for address in to:
            self.found.receive(name, address, at + self.chance.uniform(0, 0.1), type_)

    def _stock(self) -> None:
        """Three SKUs that are sold out, signed up for, and there again; then signed up for in
        vain."""
        end = START + SECONDS * 0.9
        for number in range(3):
            sku = f"sku-{self.seed}-{number}"
            gone = self._asked("restock", end, sku=sku, id=f"{sku}-0")
            back = self._asked("restock", end + 60, sku=sku, id=f"{sku}-1", available=50)
            self.found.asked += [gone, back]
            for user in self._some(6):
                self._sign_up(user, sku, end + self.chance.uniform(5, 50), back)
            self._sign_up(self.chance.choice(sorted(self.found.people)), sku, end + 90, None)

    def _sign_up(self, user: str, sku: str, at: float, back: Asked | None) -> None:
        outcome = self.chance.choices(("accepted", "unknown"), (9, 1))[0]
        channels = self.chance.choice(((), ("push", "email"), ("inapp",)))
        asked = self._asked(
            "sign_up", at, outcome, user=user, sku=sku, id=self._new_id("s"), channels=channels
        )
        self.found.asked.append(asked)
        if back is None or (outcome == "unknown" and self.chance.random() < 0.5):
            return
        note = self._new_id("back-")
        self.found.waves.append(Wave(note, sku))
        fired = replace(asked, id=note, ended=back.ended)
        for channel in channels or TYPES["BACK_IN_STOCK"].channels:
            self._deliver(fired, channel)


def history(seed: int, calls: int = 300, people: int = 40) -> History:
    """A correct history; the same for the same seed."""
    return _World(seed, calls, people).make()
