"""A notification's whole life against a model: preferences, opt-out, schedule, cancel, cascade,
retries, crashes. The decisions are the real ones; queues, store and provider are plain lists."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from actors.decide import concluded, may_repeat, refusal, unrepeated
from actors.message import Sent
from streams.capping import capped, goes_out, limits
from streams.decide import End, Facts, Look, Send, Wait, decide
from streams.dispatch import outcome_of
from streams.retry_policy import exhausted, next_wait
from tests.unit.streams.rulebook import rules_with
from tests.unit.streams.test_decide import ANNA
from tocsin.errors import Ambiguous, Permanent, SendError, Transient
from tocsin.quiet import quiet_until
from tocsin.records import (
    CHANNELS,
    TERMINAL,
    Channel,
    Condition,
    Deferred,
    Delivery,
    NotificationRequest,
    Outcome,
    Priority,
    QuietHours,
    State,
    Strategy,
)
from tocsin.store import SendResult
from tocsin.store.caps import Count

START = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
"""The day before London's clocks go forward."""
RULES = rules_with(
    categories={"promotional": {"cap": {"most": 3, "per": "PT4H"}}},
    types={"REVIEW": {"digest": {"channels": ["email"], "window": "PT45M"}, "lifetime": "P1D"}},
)
ANSWERS: tuple[Sent | SendError, ...] = (
    Sent("sandbox", "1"), Transient("busy"), Transient("busy", retry_after=120.0),
    Ambiguous("cut"), Permanent("no"),
)  # fmt: skip
WIDE = (QuietHours("10:00", "22:00"), QuietHours("20:00", "11:00"))
hours = st.integers(0, 23).map("{:02d}:00".format)


class Life(RuleBasedStateMachine):
    """One person, many notifications."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.person = START, ANNA
        self.asked: list[NotificationRequest] = []
        self.unrouted: list[NotificationRequest] = []
        self.schedule: dict[str, Deferred] = {}
        self.channels: list[Delivery] = []
        self.retries: list[Delivery] = []
        self.cancelled: set[str] = set()
        self.acked: set[str] = set()
        self.read: set[str] = set()
        self.claims: dict[str, tuple[int, SendResult]] = {}
        self.counted: dict[str, datetime] = {}
        self.opened: set[str] = set()
        self.ends: dict[str, set[State]] = defaultdict(set)
        self.sent: list[str] = []

    # what producers and people do

    @rule(
        kind=st.sampled_from(["REVIEW", "SALE_OFFER", "ORDER_UPDATE", "SHOPS_OWN"]),
        channels=st.lists(st.sampled_from(CHANNELS), unique=True, max_size=4).map(tuple),
        priority=st.sampled_from(list(Priority)),
        strategy=st.none() | st.sampled_from(list(Strategy)),
        send_in=st.none() | st.integers(-30, 300),
        expires_in=st.none() | st.integers(1, 900),
    )
    def ask(
        self,
        kind: str,
        channels: tuple[Channel, ...],
        priority: Priority,
        strategy: Strategy | None,
        send_in: int | None,
        expires_in: int | None,
    ) -> None:
        request = NotificationRequest(
            notification_id=f"n{len(self.asked)}",
            user_id="anna",
            type=kind,
            channels=channels,
            priority=priority,
            strategy=strategy,
            send_at=None if send_in is None else self._in(send_in),
            expires_at=None if expires_in is None else self._in(expires_in),
            accepted_at=self.now,
        )
        self.asked.append(request)
        self.unrouted.append(request)

    @rule(opted_out=st.booleans())
    def opt_out(self, opted_out: bool) -> None:
        self._prefer(opted_out=opted_out)

    @rule(muted=st.sampled_from([(), (Channel.EMAIL,), (Channel.PUSH, Channel.SMS)]))
    def mute(self, muted: tuple[Channel, ...]) -> None:
        self._prefer(muted={"promotional": muted} if muted else {})

    @rule(quiet=st.none() | st.sampled_from(WIDE) | st.builds(QuietHours, start=hours, end=hours))
    def hush(self, quiet: QuietHours | None) -> None:
        self._prefer(quiet_hours=quiet)

    def _prefer(self, **wants: Any) -> None:
        wanted = replace(self.person.preferences, timezone="Europe/London", **wants)
        self.person = replace(self.person, preferences=wanted)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.asked)).notification_id
        self.cancelled.add(name)
        for key, entry in self.schedule.items():
            if entry.request.notification_id == name and not entry.digest:
                self.schedule[key] = replace(entry, due_at=START)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), read=st.booleans())
    def see(self, data: st.DataObject, read: bool) -> None:
        name = data.draw(st.sampled_from(self.asked)).notification_id
        if f"{name}:inapp" in self.sent:
            self.acked.add(name)
            if read:
                self.read.add(name)

    @rule(minutes=st.sampled_from([0.02, 0.1, 1, 20, 60, 200]))
    def pass_time(self, minutes: float) -> None:
        self.now = self._in(minutes)

    # what the streams do

    @precondition(lambda self: self.unrouted)
    @rule(again=st.booleans())
    def route(self, again: bool) -> None:
        """`again`: it dies after everything was done and before that is acknowledged."""
        for _ in range(2 if again else 1):
            for request in self.unrouted:
                self._judge(request, None)
        self.unrouted.clear()

    @rule(again=st.booleans())
    def wake(self, again: bool) -> None:
        due = [entry for entry in self.schedule.values() if entry.due_at <= self.now]
        for _ in range(2 if again else 1):
            waits = {key for entry in due for key in self._judge(entry.request, entry)}
        for entry in due:
            if entry.schedule_id not in waits:
                self.schedule.pop(entry.schedule_id, None)

    @rule()
    def release(self) -> None:
        held, self.retries = self.retries, []
        for delivery in held:
            assert delivery.not_before is not None
            if delivery.not_before > self.now:
                self.retries.append(delivery)
            elif delivery.unless and self._happened(delivery.notification_id, delivery.unless):
                result = SendResult(delivery.delivery_id, State.CANCELLED, "seen")
                self._end(outcome_of(delivery, result, self.now))
            else:
                self.channels.append(delivery)

    @precondition(lambda self: self.channels)
    @rule(answer=st.sampled_from(ANSWERS), dies=st.booleans())
    def send(self, answer: Sent | SendError, dies: bool) -> None:
        """`dies`: the sender is killed after the answer and before it is written down."""
        delivery = self.channels.pop(0)
        ended = self.claims.get(delivery.delivery_id)
        if ended and (ended[1].state in TERMINAL or ended[0] >= delivery.attempt):
            self._conclude(delivery, ended[1])
            return
        if delivery.notification_id in self.cancelled:
            result = SendResult(delivery.delivery_id, State.CANCELLED, "cancelled")
        else:
            refused = refusal(delivery, self.person, self.now)
            result = refused or self._handed_over(delivery, answer)
            if dies and refused is None:
                # claimed by a dead incarnation: ambiguous
                result = self._ambiguous(delivery, answer)
        self.claims[delivery.delivery_id] = (delivery.attempt, result)
        self._conclude(delivery, result)

    # how

    def _in(self, minutes: float) -> datetime:
        return self.now + timedelta(minutes=minutes)

    def _judge(self, request: NotificationRequest, woken: Deferred | None) -> set[str]:
        """Returns what waits (again)."""
        facts = Facts(
            request.accepted_at or START, self.now, request.type,
            cancelled=request.notification_id in self.cancelled, woken=woken,
            happened=bool(
                woken and woken.unless and self._happened(request.notification_id, woken.unless)
            ),
        )  # fmt: skip
        looks = decide(request, self.person, facts, RULES)
        limit = limits(request, RULES)
        if limit and goes_out(looks):
            looks = capped(request, looks, facts, self._count(request), limit[0])
        for look in looks:
            self._carry_out(look, woken)
        return {look.deferred.schedule_id for look in looks if isinstance(look, Wait)}

    def _carry_out(self, look: Look, woken: Deferred | None) -> None:
        match look:
            case Send(delivery, _) if woken is not None and woken.digest:
                self.opened.add(delivery.delivery_id)
                result = SendResult(delivery.delivery_id, State.SUPPRESSED, "digest")
                self._end(outcome_of(delivery, result, self.now))
            case Send(delivery, _):
                self.opened.add(delivery.delivery_id)
                (self.retries if delivery.not_before else self.channels).append(delivery)
            case End(outcome):
                self.opened.add(outcome.delivery_id)
                self._end(outcome)
            case Wait(deferred, _):
                digest = "b" if deferred.why == "digest" else ""
                self.schedule[deferred.schedule_id] = replace(deferred, digest=digest)
                self.opened |= {
                    f"{deferred.request.notification_id}:{channel}" for channel in deferred.channels
                }

    def _count(self, request: NotificationRequest) -> Count:
        recent = [n for n, at in self.counted.items() if at > self.now - timedelta(hours=4)]
        if request.type not in ("REVIEW", "SALE_OFFER") or request.notification_id in recent:
            return Count("", 1)
        if len(recent) >= 3:
            return Count("promotional", 3)
        self.counted[request.notification_id] = self.now
        return Count("", len(recent) + 1)

    def _happened(self, name: str, condition: Condition) -> bool:
        return name in (self.acked if condition is Condition.ACKED else self.read)

    def _handed_over(self, delivery: Delivery, answer: Sent | SendError) -> SendResult:
        self._check_may_be_sent(delivery)
        if isinstance(answer, Sent | Ambiguous):
            self.sent.append(delivery.delivery_id)
        return concluded(delivery, [answer])

    def _ambiguous(self, delivery: Delivery, answer: Sent | SendError) -> SendResult:
        if not may_repeat(delivery):
            return unrepeated(delivery.delivery_id)
        return concluded(delivery, [answer], ambiguous=True)

    def _conclude(self, delivery: Delivery, result: SendResult) -> None:
        if result.state in (State.RETRY, State.DEFERRED):
            deferred = result.state is State.DEFERRED
            wait = result.retry_after or 0.0
            if not deferred:
                wait = next_wait(delivery.attempt, result.retry_after, 0.5)
                if over := exhausted(delivery, self.now, wait, RULES):
                    self._end(outcome_of(delivery, result, self.now, over))
                    return
            self.retries.append(
                replace(
                    delivery, attempt=delivery.attempt + 1,
                    not_before=self.now + timedelta(seconds=wait),
                    tried_at=delivery.tried_at or self.now,
                )
            )  # fmt: skip
            return
        self._end(outcome_of(delivery, result, self.now))

    def _end(self, outcome: Outcome) -> None:
        assert outcome.state in TERMINAL, outcome
        self.ends[outcome.delivery_id].add(outcome.state)

    def _check_may_be_sent(self, delivery: Delivery) -> None:
        request = next(r for r in self.asked if r.notification_id == delivery.notification_id)
        wants = self.person.preferences
        assert delivery.notification_id not in self.cancelled
        assert request.send_at is None or request.send_at <= self.now
        assert delivery.expires_at is not None
        assert self.now < delivery.expires_at
        assert not wants.opted_out
        assert delivery.channel not in wants.muted.get(delivery.category, ())
        if request.priority is not Priority.CRITICAL:
            assert quiet_until(wants.quiet_hours, wants.timezone, self.now) is None

    @invariant()
    def a_delivery_ends_in_one_way(self) -> None:
        assert all(len(states) == 1 for states in self.ends.values()), self.ends

    @invariant()
    def nothing_ends_that_was_not_opened(self) -> None:
        assert set(self.ends) <= self.opened

    def teardown(self) -> None:
        """Given time, everything ends."""
        self._prefer(opted_out=False, muted={}, quiet_hours=None)
        for _ in range(400):
            if self.unrouted:
                self.route(again=False)
            self.wake(again=False)
            self.release()
            while self.channels:
                self.send(ANSWERS[0], dies=False)
            if not self.schedule and not self.retries:
                break
            self.now = self._in(10)
        assert not self.schedule
        assert not self.retries
        assert set(self.ends) == self.opened
        assert {name.partition(":")[0] for name in self.opened} == {
            request.notification_id for request in self.asked
        }
        self.a_delivery_ends_in_one_way()

    @initialize()
    def begin(self) -> None:
        assert not self.opened


TestLife: Any = Life.TestCase
TestLife.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
