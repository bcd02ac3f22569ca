"""What every User class of ours does: take the next due job, make the call, say what came of it."""

from typing import Any, ClassVar, Final, NamedTuple

import gevent
import msgspec
from locust import FastHttpUser, task

from loadtest.load.call import Call
from loadtest.load.run_dir import Outcome
from loadtest.load.swarm.crew import Crew

_SECONDS: Final = 15.0
_TRIES: Final = 3
_LONGEST_PAUSE: Final = 5.0


class Answer(NamedTuple):
    """What came back over HTTP. `status` 0: nothing did."""

    status: int
    body: Any
    outcome: Outcome
    code: str = ""

    def field(self, name: str) -> Any:
        """Of a JSON object; None where there is none."""
        return self.body.get(name) if isinstance(self.body, dict) else None


class Carrier(FastHttpUser):
    """Abstract: a subclass names its `stream` and makes its call."""

    abstract = True
    stream: ClassVar[str] = ""
    crew: ClassVar[Crew | None] = None
    """Of this process, while a load runs."""

    network_timeout = _SECONDS
    connection_timeout = _SECONDS

    @property
    def mine(self) -> Crew:
        """The crew this carrier is of."""
        assert Carrier.crew is not None, "only while a load runs"
        return Carrier.crew

    @task
    def carry(self) -> None:
        """One job; whatever it raises leaves the call's outcome unknown."""
        if Carrier.crew is None:
            gevent.sleep(1)  # the load was refused, and Locust is about to end
            return
        with self.mine.next(self.stream) as call:
            self.make(call)

    def make(self, call: Call) -> None:
        """Make the call and end it."""
        raise NotImplementedError

    def ask(
        self, method: str, path: str, name: str, body: object = None, token: str | None = None
    ) -> Answer:
        """One HTTP call to the API, or to the absolute address `path`. Asked to wait a little (429)
        it is made again, as nothing was taken then."""
        for left in reversed(range(_TRIES)):
            response = self.client.request(
                method, path, name=name, headers=self._headers(token), allow_redirects=False,
                data=None if body is None else msgspec.json.encode(body),
            )  # fmt: skip
            pause = _seconds((response.headers or {}).get("retry-after"))
            if response.status_code != 429 or not left or pause > _LONGEST_PAUSE:
                break
            gevent.sleep(pause)
        return _answer(response)

    def told(self, name: str, kind: str, seconds: float, error: str = "") -> None:
        """What was no HTTP, for Locust's own page."""
        self.environment.events.request.fire(
            request_type=kind, name=name, response_time=seconds * 1000, response_length=0,
            exception=RuntimeError(error) if error else None, context={},
        )  # fmt: skip

    def _headers(self, token: str | None) -> dict[str, str]:
        bearer = self.mine.token if token is None else token
        return {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}


def _answer(response: Any) -> Answer:
    status, body = int(response.status_code), _json(response.content)
    if 200 <= status < 400:
        return Answer(status, body, "accepted")
    code = body.get("code", "") if isinstance(body, dict) else ""
    if 400 <= status < 500:
        return Answer(status, body, "refused", code or str(status))
    if not status and isinstance(response.error, ConnectionRefusedError):
        return Answer(0, None, "refused", "unreachable")
    return Answer(status, body, "unknown", code or type(response.error).__name__)


def _json(raw: bytes | None) -> Any:
    try:
        return msgspec.json.decode(raw) if raw else None
    except msgspec.DecodeError:
        return None


def _seconds(text: str | None) -> float:
    try:
        return max(0.05, float(text)) if text else 1.0
    except ValueError:
        return 1.0
