"""Firebase Cloud Messaging HTTP v1, Google's side: `messages:send`."""

import re
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from loadtest.sandbox.apns import retry_after
from loadtest.sandbox.faults import Fault
from loadtest.sandbox.oauth import OAuth
from loadtest.sandbox.verdict import JSON, Headers, Receipt, Verdict
from tocsin.ids import new_id
from tocsin.records.codec import as_invalid

PATH: Final = "/v1/projects/"
_SEND: Final = "/messages:send"
MAX_MESSAGE: Final = 4096
MAX_TTL: Final = 2_419_200
GONE_PREFIX: Final = "unregistered"
"""A registration token that starts so is one whose app was removed: 404 UNREGISTERED."""
OTHER_SENDER_PREFIX: Final = "othersender"
"""A registration token that starts so belongs to another sender: 403 SENDER_ID_MISMATCH."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_:.\-]{8,4096}").fullmatch
_TTL: Final = re.compile(r"(\d{1,9})(?:\.\d{1,9})?s").fullmatch
_FCM_ERROR: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_ERRORS: Final[dict[str, tuple[int, str, str]]] = {
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT", "The request has an invalid argument."),
    "UNAUTHENTICATED": (
        401, "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token.",
    ),
    "PERMISSION_DENIED": (403, "PERMISSION_DENIED", "Permission denied on the project."),
    "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED", "SenderId mismatch"),
    "UNREGISTERED": (404, "NOT_FOUND", "Requested entity was not found."),
    "QUOTA_EXCEEDED": (429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric."),
    "INTERNAL": (500, "INTERNAL", "Internal error encountered."),
    "UNAVAILABLE": (503, "UNAVAILABLE", "The service is currently unavailable."),
}  # fmt: skip
_BY_STATUS: Final = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "SENDER_ID_MISMATCH",
    404: "UNREGISTERED", 429: "QUOTA_EXCEEDED", 503: "UNAVAILABLE",
}  # fmt: skip


class _Notification(msgspec.Struct):
    title: str = ""
    body: str = ""
    image: str = ""


class _Android(msgspec.Struct):
    priority: Literal["NORMAL", "HIGH", "normal", "high"] = "NORMAL"
    ttl: str = ""
    collapse_key: Annotated[str, Meta(max_length=512)] = ""


class _Message(msgspec.Struct):
    token: str | None = None
    topic: str | None = None
    condition: str | None = None
    notification: _Notification | None = None
    data: dict[str, str] = {}
    android: _Android | None = None

    def collapse_key(self) -> str:
        return self.android.collapse_key if self.android else ""


class _Send(msgspec.Struct):
    message: _Message
    validate_only: bool = False


_decode = msgspec.json.Decoder(_Send).decode


class Fcm:
    """One Firebase project."""

    def __init__(self, oauth: OAuth, project_id: str) -> None:
        self._oauth, self._path = oauth, f"{PATH}{project_id}{_SEND}"
        self._name = f"projects/{project_id}/messages/"

    def judge(self, method: str, path: str, headers: Headers, body: bytes, now: float) -> Verdict:
        """What Google answers to this request. `now` is Unix seconds."""
        if method != "POST" or not path.endswith(_SEND):
            return _refused("UNREGISTERED", "Requested path was not found.", bare=True)
        if not self._oauth.valid(headers, now):
            return _refused("UNAUTHENTICATED", bare=True)
        if path != self._path:
            return _refused("PERMISSION_DENIED", bare=True)
        try:
            send = _decode(body)
        except msgspec.ValidationError as error:
            return _refused("INVALID_ARGUMENT", str(as_invalid(error)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _refused("INVALID_ARGUMENT", f"Invalid JSON payload received. {error}")
        return self._judged(send, body)

    def _judged(self, send: _Send, body: bytes) -> Verdict:
        message = send.message
        if problem := _problem(message, body):
            return _refused(*problem)
        if send.validate_only:
            return self._named("fake_message_id")
        name = f"0:{new_id()}"
        receipt = Receipt(
            "fcm", _recipient(message), name, message.data.get("delivery_id", ""),
            message.data.get("type", ""), body, message.collapse_key(),
        )  # fmt: skip
        return self._named(name)._replace(receipt=receipt)

    def _named(self, name: str) -> Verdict:
        return Verdict(200, [JSON], b'{"name":"%b%b"}' % (self._name.encode(), name.encode()))


def _recipient(message: _Message) -> str:
    if message.token is not None:
        return message.token
    return f"/topics/{message.topic}" if message.topic else message.condition or ""


def _problem(message: _Message, body: bytes) -> tuple[str, str] | None:
    targets = (message.token, message.topic, message.condition)
    if sum(target is not None for target in targets) != 1:
        return "INVALID_ARGUMENT", "Exactly one of token, topic and condition must be set."
    if len(body) > MAX_MESSAGE and _content_size(message) > MAX_MESSAGE:
        return "INVALID_ARGUMENT", "Android message is too big"
    if message.android and not _good_ttl(message.android.ttl):
        return "INVALID_ARGUMENT", "Invalid value at 'message.android.ttl' (Duration)"
    return _token_problem(message.token) if message.token is not None else None


def _token_problem(token: str) -> tuple[str, str] | None:
    if not _TOKEN(token):
        return (
            "INVALID_ARGUMENT",
            "The registration token is not a valid FCM registration token",
        )
    if token.startswith(GONE_PREFIX):
        return "UNREGISTERED", ""
    return ("SENDER_ID_MISMATCH", "") if token.startswith(OTHER_SENDER_PREFIX) else None


def _content_size(message: _Message) -> int:
    note = message.notification or _Notification()
    texts = [note.title, note.body, note.image]
    return sum(len(text.encode()) for pair in message.data.items() for text in pair) + sum(
        len(text.encode()) for text in texts
    )


def _good_ttl(ttl: str) -> bool:
    match = _TTL(ttl)
    return not ttl or (match is not None and int(match[1]) <= MAX_TTL)


def _refused(
    code: str, message: str = "", status: int | None = None, bare: bool = False
) -> Verdict:
    """A google.rpc error. `bare` leaves out the FCM detail, as the front door's own errors do."""
    number, word, text = _ERRORS.get(code, _ERRORS["INTERNAL"])
    number = status or number
    error: dict[str, Any] = {"code": number, "message": message or text, "status": word}
    if not bare:
        error["details"] = [{"@type": _FCM_ERROR, "errorCode": code}]
    return Verdict(number, [JSON], msgspec.json.encode({"error": error}), None, code)


def faulted(fault: Fault, now: float) -> Verdict:
    """The answer a status fault asks for."""
    status = fault.status or 500
    code = fault.reason or _BY_STATUS.get(status, "INTERNAL")
    verdict = _refused(code, status=status, bare=status == 401)
    return verdict._replace(headers=verdict.headers + retry_after(fault))


def describe(content: bytes) -> dict[str, Any]:
    """Title and body as the phone would show them, and the rest of the data."""
    message = _decode(content).message
    note = message.notification or _Notification()
    return {"title": note.title, "body": note.body, "data": message.data}
