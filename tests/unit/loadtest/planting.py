"""Faults to plant into a correct history: each changes one thing, and says what must be found."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Final

from msgspec.structs import replace

from loadtest.check.meaning import TYPES
from loadtest.check.records import Ended, Wave
from loadtest.load.run_dir import Asked
from tests.unit.loadtest.history import History, addresses

Found = dict[str, int]
Plant = Callable[[History, random.Random], Found]
PLANTS: Final[dict[str, Plant]] = {}


def _plant(plant: Plant) -> Plant:
    PLANTS[plant.__name__] = plant
    return plant


def _id(delivery: str) -> str:
    return delivery.rpartition(":")[0]


def _plain(history: History, channels: tuple[str, ...]) -> list[tuple[Asked, Ended]]:
    """Accepted once, sent at once, received; of people without opt-out or quiet hours."""
    special = history.opted_out.keys() | history.quiet.keys()
    special |= {a.user for a in history.asked if a.kind == "opt_out"}
    asked = {a.id: a for a in history.asked if a.outcome == "accepted"}
    again = Counter(a.id for a in history.asked)
    got = {r.delivery_id for r in history.received}
    return [
        (asked[_id(e.delivery_id)], e)
        for e in history.ended
        if e.state == "delivered"
        and e.attempt == 1
        and e.user_id not in special
        and e.delivery_id.rpartition(":")[2] in channels
        and (e.delivery_id in got or e.delivery_id.endswith(":inapp"))
        and again[_id(e.delivery_id)] == 1
        and _id(e.delivery_id) in asked
    ]


def _notification(history: History, chance: random.Random, *channels: str) -> tuple[Asked, Ended]:
    found = [
        (asked, ended)
        for asked, ended in _plain(history, channels or ("push", "sms", "email"))
        if asked.kind == "notification"
    ]
    return chance.choice(found)


def _forget_receipts(history: History, delivery: str) -> None:
    history.received = [r for r in history.received if r.delivery_id != delivery]


def _forget_end(history: History, delivery: str) -> None:
    history.ended = [e for e in history.ended if e.delivery_id != delivery]


def _rewrite(history: History, delivery: str, **change: object) -> None:
    history.ended = [
        replace(e, **change) if e.delivery_id == delivery else e for e in history.ended
    ]


def _told(history: History) -> Iterator[tuple[Wave, Asked]]:
    """Who was told by a restock, with the sign-up that was accepted."""
    of = {_id(e.delivery_id): e.user_id for e in history.ended}
    for wave in history.waves:
        for asked in history.asked:
            if (asked.kind, asked.outcome, asked.sku) == ("sign_up", "accepted", wave.sku) and (
                asked.user == of.get(wave.notification_id)
            ):
                signed = sum(
                    a.kind == "sign_up" and (a.user, a.sku) == (asked.user, asked.sku)
                    for a in history.asked
                )
                if signed == 1:
                    yield wave, asked


@_plant
def receipts_deleted(history: History, chance: random.Random) -> Found:
    _, ended = _notification(history, chance)
    _forget_receipts(history, ended.delivery_id)
    return {"lost": 1}


@_plant
def end_deleted(history: History, chance: random.Random) -> Found:
    _, ended = _notification(history, chance)
    _forget_end(history, ended.delivery_id)
    return {"lost": 1}


@_plant
def in_app_end_deleted(history: History, chance: random.Random) -> Found:
    _, ended = _notification(history, chance, "inapp")
    _forget_end(history, ended.delivery_id)
    return {"lost": 1}


@_plant
def whole_notification_deleted(history: History, chance: random.Random) -> Found:
    asked, _ = _notification(history, chance)
    gone = {e.delivery_id for e in history.ended if _id(e.delivery_id) == asked.id}
    for delivery in gone:
        _forget_receipts(history, delivery)
        _forget_end(history, delivery)
    return {"lost": len(gone)}


@_plant
def code_deleted(history: History, chance: random.Random) -> Found:
    found = [e for a, e in _plain(history, ("sms",)) if a.kind == "otp"]
    delivery = chance.choice(found).delivery_id
    _forget_receipts(history, delivery)
    _forget_end(history, delivery)
    return {"lost": 1}


def _wrongly(history: History, chance: random.Random, state: str, reason: str) -> Found:
    _, ended = _notification(history, chance)
    _forget_receipts(history, ended.delivery_id)
    _rewrite(history, ended.delivery_id, state=state, reason=reason)
    return {"lost": 1}


@_plant
def suppressed_for_an_opt_out_that_never_was(history: History, chance: random.Random) -> Found:
    return _wrongly(history, chance, "suppressed", "opted_out")


@_plant
def suppressed_for_no_address_that_there_is(history: History, chance: random.Random) -> Found:
    return _wrongly(history, chance, "suppressed", "no_address")


@_plant
def suppressed_as_a_duplicate_of_nothing(history: History, chance: random.Random) -> Found:
    return _wrongly(history, chance, "suppressed", "duplicate")


@_plant
def expired_before_its_time(history: History, chance: random.Random) -> Found:
    return _wrongly(history, chance, "expired", "expired")


@_plant
def expired_for_quiet_hours_that_never_were(history: History, chance: random.Random) -> Found:
    return _wrongly(history, chance, "expired", "expires_before_it_may_be_sent")


@_plant
def cancelled_by_nobody(history: History, chance: random.Random) -> Found:
    return _wrongly(history, chance, "cancelled", "cancelled")


@_plant
def failed_as_unknown(history: History, chance: random.Random) -> Found:
    return _wrongly(history, chance, "failed", "unknown_user")


@_plant
def sign_up_never_told(history: History, chance: random.Random) -> Found:
    wave, _ = chance.choice(list(_told(history)))
    gone = {e.delivery_id for e in history.ended if _id(e.delivery_id) == wave.notification_id}
    for delivery in gone:
        _forget_receipts(history, delivery)
        _forget_end(history, delivery)
    history.waves.remove(wave)
    return {"lost": 1}


@_plant
def one_channel_of_a_sign_up_lost(history: History, chance: random.Random) -> Found:
    told = {wave.notification_id for wave, _ in _told(history)}
    found = [e for e in history.ended if _id(e.delivery_id) in told]
    several = Counter(_id(e.delivery_id) for e in found)
    ended = chance.choice([e for e in found if several[_id(e.delivery_id)] > 1])
    _forget_receipts(history, ended.delivery_id)
    _forget_end(history, ended.delivery_id)
    return {"lost": 1}


@_plant
def receipt_doubled(history: History, chance: random.Random) -> Found:
    _, ended = _notification(history, chance)
    receipt = next(r for r in history.received if r.delivery_id == ended.delivery_id)
    times = chance.randint(1, 3)
    history.received += [replace(receipt, received_at=receipt.received_at + 1)] * times
    return {"duplicate": times}


@_plant
def ended_twice(history: History, chance: random.Random) -> Found:
    _, ended = _notification(history, chance)
    history.ended.append(replace(ended, state="failed", reason="attempts exhausted: 503"))
    return {"duplicate": 1}


@_plant
def sign_up_told_twice(history: History, chance: random.Random) -> Found:
    wave, _ = chance.choice(list(_told(history)))
    again = f"{wave.notification_id}-again"
    history.waves.append(Wave(again, wave.sku))
    for ended in list(history.ended):
        if _id(ended.delivery_id) == wave.notification_id:
            channel = ended.delivery_id.rpartition(":")[2]
            history.ended.append(replace(ended, delivery_id=f"{again}:{channel}"))
            history.received += [
                replace(r, delivery_id=f"{again}:{channel}")
                for r in history.received
                if r.delivery_id == ended.delivery_id
            ]
    return {"duplicate": 1}


@_plant
def receipt_of_nothing(history: History, chance: random.Random) -> Found:
    asked, ended = _notification(history, chance, "email")
    to = addresses(history.people[asked.user], "email")[0]
    history.receive("nobody-asked:email", to, ended.at, "NEWSLETTER")
    return {"phantom": 1}


@_plant
def code_of_nothing(history: History, chance: random.Random) -> Found:
    lost = {a.user for a in history.asked if a.kind == "otp" and not a.id}
    user = chance.choice(sorted(u for u, p in history.people.items() if p.sms and u not in lost))
    _, ended = _notification(history, chance)
    code = Ended("nobody-asked:sms", user, "OTP", "delivered", "", 1, ended.at)
    history.ended.append(code)
    history.receive(code.delivery_id, history.people[user].sms, ended.at, "OTP")
    return {"phantom": 1}


@_plant
def end_of_nothing(history: History, chance: random.Random) -> Found:
    _, ended = _notification(history, chance)
    history.ended.append(replace(ended, delivery_id="nobody-asked:inapp"))
    return {"phantom": 1}


@_plant
def refused_and_sent(history: History, chance: random.Random) -> Found:
    asked, _ = _notification(history, chance, "email")
    several = {e.delivery_id for e in history.ended if _id(e.delivery_id) == asked.id}
    history.asked[history.asked.index(asked)] = replace(asked, outcome="refused", status=422)
    return {"phantom": len(several)}


@_plant
def told_without_a_sign_up(history: History, chance: random.Random) -> Found:
    _, ended = _notification(history, chance, "push")
    sku = history.waves[0].sku
    signed = {a.user for a in history.asked if a.sku == sku}
    user = chance.choice(sorted(u for u, p in history.people.items() if p.push and u not in signed))
    history.waves.append(Wave("back-uncalled", sku))
    history.ended.append(
        Ended("back-uncalled:push", user, "BACK_IN_STOCK", "delivered", "", 1, ended.at)
    )
    to = addresses(history.people[user], "push")[0]
    history.receive("back-uncalled:push", to, ended.at, "BACK_IN_STOCK")
    return {"phantom": 1}


@_plant
def order_swapped(history: History, chance: random.Random) -> Found:
    lines = defaultdict(list)
    for asked, ended in _plain(history, ("push", "sms", "email")):
        channel = ended.delivery_id.rpartition(":")[2]
        if not asked.expires_at and asked.kind == "notification":
            lines[asked.user, channel, asked.priority, asked.type].append((asked.began, ended))
    pairs = [
        (one[1], two[1])
        for line in lines.values()
        for one, two in zip(sorted(line, key=_began), sorted(line, key=_began)[1:], strict=False)
        if two[0] - one[0] > 60
    ]
    one, two = chance.choice(pairs)
    times = {
        name: min(r.received_at for r in history.received if r.delivery_id == name)
        for name in (one.delivery_id, two.delivery_id)
    }
    moved = {
        one.delivery_id: times[two.delivery_id] - times[one.delivery_id],
        two.delivery_id: times[one.delivery_id] - times[two.delivery_id],
    }
    history.received = [
        replace(r, received_at=r.received_at + moved.get(r.delivery_id, 0))
        for r in history.received
    ]
    return {"misordered": 1}


def _began(each: tuple[float, Ended]) -> float:
    return each[0]


def _delayed(history: History, delivery: str, until: float) -> int:
    before = [r for r in history.received if r.delivery_id == delivery]
    history.received = [
        replace(r, received_at=until) if r.delivery_id == delivery else r for r in history.received
    ]
    return len(before)


def _last_of_their_line(history: History, kind: str) -> list[tuple[Asked, Ended]]:
    """What nothing asked for later can overtake."""
    plain = [each for each in _plain(history, ("push", "sms", "email")) if each[0].kind == kind]
    last: dict[tuple[str, ...], float] = defaultdict(float)
    for asked in history.asked:
        line = (asked.user, asked.priority, asked.type)
        last[line] = max(last[line], asked.began)
    return [
        (asked, ended)
        for asked, ended in plain
        if asked.began == last[asked.user, asked.priority, asked.type]
    ]


@_plant
def received_after_expiry(history: History, chance: random.Random) -> Found:
    found = [each for each in _last_of_their_line(history, "notification") if each[0].expires_at]
    asked, ended = chance.choice(found)
    return {"late": _delayed(history, ended.delivery_id, asked.expires_at + 10.5)}


@_plant
def code_received_after_its_life(history: History, chance: random.Random) -> Found:
    asked, ended = chance.choice(_last_of_their_line(history, "otp"))
    return {"late": _delayed(history, ended.delivery_id, asked.ended + 311)}


def _told_at(history: History, user: str, type_: str, at: float, priority: str) -> int:
    """A notification of its own by every way; how often it was received."""
    ways = [way for way in ("push", "sms", "email") if addresses(history.people[user], way)]
    asked = Asked(
        "notification", "api", 1, at - 1, at - 1, at - 0.5, "accepted",
        id="planted", user=user, type=type_, channels=tuple(ways), priority=priority,
    )  # fmt: skip
    history.asked.append(asked)
    times = 0
    for way in ways:
        history.end(f"planted:{way}", asked, "delivered", at)
        for to in addresses(history.people[user], way):
            history.receive(f"planted:{way}", to, at, type_)
            times += 1
    return times


def _reachable(history: History, users: list[str]) -> list[str]:
    return sorted(u for u in users if history.people[u].sms or history.people[u].email)


@_plant
def marketing_after_an_opt_out(history: History, chance: random.Random) -> Found:
    user = chance.choice(_reachable(history, list(history.opted_out.keys() - history.quiet.keys())))
    at = history.opted_out[user] + 31
    return {"after_opt_out": _told_at(history, user, "SALE_OFFER", at, "low")}


@_plant
def woken_in_quiet_hours(history: History, chance: random.Random) -> Found:
    user = chance.choice(_reachable(history, list(history.quiet.keys() - history.opted_out.keys())))
    accepted, began, until = history.quiet[user]
    at = max(accepted, began) + 31
    if at > until - 2:
        at = until - 2
    return {"in_quiet_hours": _told_at(history, user, "ORDER_UPDATE", at, "high")}


@_plant
def sent_on_another_channel(history: History, chance: random.Random) -> Found:
    found = []
    for asked, ended in _plain(history, ("push", "email", "inapp")):
        if asked.kind == "notification" and history.people[asked.user].sms:
            wanted = asked.channels or getattr(TYPES.get(asked.type), "channels", ("inapp", "push"))
            if "sms" not in wanted:
                found.append((asked, ended))
    asked, ended = chance.choice(found)
    history.ended.append(replace(ended, delivery_id=f"{asked.id}:sms"))
    to = addresses(history.people[asked.user], "sms")[0]
    history.receive(f"{asked.id}:sms", to, ended.at, asked.type)
    return {"wrong_channel": 1}


@_plant
def sent_by_another_provider(history: History, chance: random.Random) -> Found:
    found = [(a, e) for a, e in _plain(history, ("email",)) if history.people[a.user].sms]
    asked, ended = chance.choice(found)
    history.received = [
        replace(r, provider="twilio", recipient=history.people[asked.user].sms)
        if r.delivery_id == ended.delivery_id
        else r
        for r in history.received
    ]
    return {"wrong_channel": 1}


@_plant
def sent_to_somebody_else(history: History, chance: random.Random) -> Found:
    asked, ended = _notification(history, chance, "email", "sms")
    channel = ended.delivery_id.rpartition(":")[2]
    others = [
        addresses(person, channel)[0]
        for user, person in history.people.items()
        if user != asked.user and addresses(person, channel)
    ]
    to = chance.choice(others)
    history.received = [
        replace(r, recipient=to) if r.delivery_id == ended.delivery_id else r
        for r in history.received
    ]
    return {"wrong_recipient": 1}


@_plant
def sent_to_an_old_device(history: History, chance: random.Random) -> Found:
    _, ended = _notification(history, chance, "push")
    receipt = next(r for r in history.received if r.delivery_id == ended.delivery_id)
    history.received.append(replace(receipt, recipient="ios-of-nobody"))
    return {"wrong_recipient": 1}
