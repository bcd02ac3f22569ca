"""The shop and its customers by HTTP: stock, sign-ups, log-ins, wishes, clicks, questions."""

import re
import time
from collections import deque
from datetime import UTC, datetime
from random import Random
from typing import Any, ClassVar, Final

from loadtest.load.call import Call
from loadtest.load.prepare import sku
from loadtest.load.shapes import NIGHT, SOON
from loadtest.load.swarm.carrier import Answer, Carrier
from loadtest.people import person
from loadtest.replay.phones import code_in
from tocsin.ids import derived_id

_STOCK: Final = 100_000
"""Enough for everybody who waits."""

_LINK = re.compile(r"/c/[A-Za-z0-9_\-.~=]+")
_CODE_SECONDS: Final = 20.0


class Stocker(Carrier):
    """`POST /v1/inventory:batch`: in turn a SKU sells out, and comes back."""

    stream = "restock"

    def make(self, call: Call) -> None:
        crew, number = self.mine, call.job.number
        name, event = sku(crew.run, number // 2 % crew.plan.skus), f"{crew.run}-stock-{number}"
        available = _STOCK if number % 2 else 0
        call.means("restock", id=event, sku=name, available=available)
        change = {
            "event_id": event, "sku": name, "available": available, "version": 10 + number,
            "occurred_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        path = "/v1/inventory:batch"
        answer = self.ask("POST", path, path, {"changes": [change]})
        call.end(answer.outcome, answer.status, answer.code, _refused(answer))


class SignUp(Carrier):
    """`POST /v1/subscriptions:batch`: who wants to hear when a SKU is back."""

    stream = "sign_up"

    def make(self, call: Call) -> None:
        flow, crew = self.mine.flow(self.stream), self.mine
        random = Random(f"{crew.seed} sign_up {call.job.number}")
        items = []
        for place in range(flow.held(call.job.number)):
            number = call.job.number * flow.holds + place
            item = {
                "subscription_id": derived_id(crew.run, "sign-up", str(number)),
                "user_id": crew.crowd.user(number),
                "sku": sku(crew.run, random.randrange(crew.plan.skus)),
            }
            call.means(
                "sign_up", id=item["subscription_id"], user=item["user_id"], sku=item["sku"],
                type="BACK_IN_STOCK",
            )  # fmt: skip
            items.append(item)
        path = "/v1/subscriptions:batch"
        answer = self.ask("POST", path, path, {"subscriptions": items})
        call.end(answer.outcome, answer.status, answer.code, _refused(answer))


class Login(Carrier):
    """A code is asked for, read off the phone, and given back: `otp`, `code_seen`, `code_check`."""

    stream = "otp"

    def make(self, call: Call) -> None:
        user = self.mine.crowd.to_log_in(call.job.number)
        call.means("otp", user=user, type="OTP", channels=("sms",), priority="critical")
        body = {"user_id": user, "purpose": "login", "channel": "sms"}
        answer = self.ask("POST", "/v1/otp", "/v1/otp", body)
        challenge = str(answer.field("challenge_id") or "")
        call.end(answer.outcome, answer.status, answer.code, id=challenge)
        if answer.outcome == "accepted" and self.mine.settings.sandbox_url:
            self._give_back(call, user, challenge)

    def _give_back(self, call: Call, user: str, challenge: str) -> None:
        code = self._code(person(user).phone or "", challenge)
        self.mine.recorder.follow("code_seen", call.job, "accepted" if code else "unknown")
        if not code:
            return
        path, body = "/v1/otp/verify", {"challenge_id": challenge, "code": code}
        answer = self.ask("POST", path, path, body)
        self.mine.recorder.follow("code_check", call.job, answer.outcome)

    def _code(self, number: str, challenge: str) -> str | None:
        """What the phone shows; None when nothing came."""
        url = f"{self.mine.settings.sandbox_url}/sandbox/phones/{number}"
        after, end = 0, time.time() + _CODE_SECONDS
        while time.time() < end:
            page = self.ask("GET", f"{url}?after={after}&wait=2", "phone").body or {}
            for message in page.get("messages", ()):
                mine = str(message.get("delivery_id", "")).startswith(challenge)
                if mine and (code := code_in(message)):
                    return code
            after = int(page.get("last", after))
        return None


class Leaver(Carrier):
    """Somebody has had enough: no marketing may arrive from then on."""

    stream = "opt_out"

    def make(self, call: Call) -> None:
        user = self.mine.crowd.to_opt_out(call.job.number)
        call.means("opt_out", user=user)
        answer = self.ask("PUT", *_preferences(user), {"opted_out": True})
        call.end(answer.outcome, answer.status, answer.code)
        if answer.outcome == "accepted":
            self.mine.crowd.left(user)


class Sleeper(Carrier):
    """Somebody wants quiet for a minute that begins soon."""

    stream = "quiet_hours"

    def make(self, call: Call) -> None:
        user = self.mine.crowd.to_sleep(call.job.number)
        start = (int(time.time() + SOON) // 60 + 1) * 60
        call.means("quiet_hours", user=user, quiet_from=start, quiet_until=start + NIGHT)
        quiet = {"start": _wall(start), "end": _wall(start + NIGHT)}
        answer = self.ask("PUT", *_preferences(user), {"quiet_hours": quiet, "timezone": "UTC"})
        call.end(answer.outcome, answer.status, answer.code)


class Clicker(Carrier):
    """Opens the mailbox, as far as the sandbox shows it, and follows a link."""

    stream = "click"
    links: ClassVar[deque[str]] = deque(maxlen=2_000)
    looked: ClassVar[float] = 0.0

    def make(self, call: Call) -> None:
        self._look()
        if not Clicker.links:
            return call.end("refused", code="no_mail_yet")
        path = Clicker.links.popleft()
        call.means("click", id=path.removeprefix("/c/")[:128])
        answer = self.ask("GET", path, "/c/{token}", token="")
        return call.end(answer.outcome, answer.status, answer.code)

    def _look(self) -> None:
        """The newest mails, at most every other second."""
        sandbox, now = self.mine.settings.sandbox_url, time.time()
        if not sandbox or len(Clicker.links) > 200 or now < Clicker.looked + 2:
            return
        Clicker.looked = now
        summary = self.ask("GET", f"{sandbox}/sandbox/journal/summary", "journal").body or {}
        since = max(0, int(summary.get("last", 0)) - 400)
        page = f"{sandbox}/sandbox/journal?provider=smtp&since={since}&limit=100"
        receipts = (self.ask("GET", page, "journal").body or {}).get("receipts", ())
        for receipt in receipts:
            Clicker.links.extend(_LINK.findall(str(receipt.get("text", "")))[:1])


class Analyst(Carrier):
    """Looks at the figures."""

    stream = "ask"
    QUESTIONS = ("funnel", "busiest_hours", "conservation", "failure_reasons", "deliverability")

    def make(self, call: Call) -> None:
        name = self.QUESTIONS[call.job.number % len(self.QUESTIONS)]
        call.means("ask", id=name)
        answer = self.ask("GET", f"/v1/stats/{name}", "/v1/stats/{name}")
        call.end(answer.outcome, answer.status, answer.code)


def _preferences(user: str) -> tuple[str, str]:
    return f"/v1/users/{user}/preferences", "/v1/users/{id}/preferences"


def _wall(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def _results(answer: Answer) -> list[dict[str, Any]]:
    return list(answer.field("results") or ())


def _refused(answer: Answer) -> frozenset[int]:
    found = _results(answer)
    return frozenset(place for place, item in enumerate(found) if item["status"] >= 400)
