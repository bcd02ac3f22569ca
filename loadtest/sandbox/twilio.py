"""Twilio's Messages resource, Twilio's side: a form in, a Message or an error in its JSON out."""

import base64
import re
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec

from loadtest.sandbox.apns import retry_after
from loadtest.sandbox.faults import Fault
from loadtest.sandbox.segments import segments
from loadtest.sandbox.verdict import JSON, Headers, Receipt, Verdict
from tocsin.ids import new_id

PATH: Final = "/2010-04-01/Accounts/"
MAX_BODY: Final = 1600
_E164: Final = re.compile(r"\+[1-9]\d{6,14}").fullmatch
_SENDER: Final = re.compile(r"\+?[1-9]\d{2,14}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}").fullmatch

_ERRORS: Final = {
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service unavailable"),
    21211: (400, "The 'To' number {to} is not a valid phone number."),
    21212: (400, "The 'From' number {sender} is not a valid phone number, or sender ID."),
    21408: (400, "Permission to send an SMS has not been enabled for the region of 'To' {to}."),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number {sender} has exceeded the maximum number of queued messages."),
    21612: (400, "The 'To' phone number {to} is not currently reachable using the 'From' number."),
    21614: (400, "'To' number {to} is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit."),
}  # fmt: skip
_BY_STATUS: Final = {400: 21211, 401: 20003, 404: 20404, 405: 20004, 429: 20429, 503: 20503}
MAGIC: Final = {
    "+15005550001": 21211, "+15005550002": 21612, "+15005550003": 21408, "+15005550004": 21610,
    "+15005550009": 21614,
}  # fmt: skip
"""Twilio's own test numbers: sending to one fails with that code."""
QUEUE_FULL_SENDER: Final = "+15005550008"
GOOD_SENDER: Final = "+15005550006"


class Twilio:
    """One account."""

    def __init__(self, sid: str, auth_token: str) -> None:
        self._sid, self._path = sid, f"{PATH}{sid}/Messages.json"
        pair = base64.b64encode(f"{sid}:{auth_token}".encode()).decode()
        self._authorization = f"Basic {pair}"
        # what never changes of the answer is rendered once
        self._fixed: dict[str, Any] = {
            "account_sid": sid, "api_version": "2010-04-01", "date_sent": None,
            "direction": "outbound-api", "error_code": None, "error_message": None,
            "num_media": "0", "price": None, "price_unit": "USD", "status": "queued",
        }  # fmt: skip

    def judge(self, method: str, path: str, headers: Headers, body: bytes, now: float) -> Verdict:
        """What Twilio answers to this request. `now` is Unix seconds."""
        if headers.get("authorization") != self._authorization:
            return _refused(20003)
        if path != self._path:
            return _refused(20404)
        if method != "POST":
            return _refused(20004)
        try:
            form = dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
        except UnicodeDecodeError:
            return _refused(21602)
        if code := _problem(form):
            return _refused(code, form)
        return self._queued(form, body, now)

    def _queued(self, form: dict[str, str], body: bytes, now: float) -> Verdict:
        sid = "SM" + new_id().replace("-", "")
        named = parse_qs(urlsplit(form.get("StatusCallback", "")).query)
        receipt = Receipt(
            "twilio", form["To"], sid, named.get("delivery_id", [""])[0],
            named.get("type", [""])[0], body,
        )  # fmt: skip
        uri = f"{PATH}{self._sid}/Messages/{sid}"
        date = formatdate(now).replace("-0000", "+0000")
        answer = self._fixed | {
            "body": form.get("Body", ""), "date_created": date, "date_updated": date,
            "from": form.get("From"), "messaging_service_sid": form.get("MessagingServiceSid"),
            "num_segments": str(segments(form.get("Body", ""))), "sid": sid,
            "subresource_uris": {"media": f"{uri}/Media.json"}, "to": form["To"],
            "uri": f"{uri}.json",
        }  # fmt: skip
        return Verdict(201, [JSON], msgspec.json.encode(answer), receipt)


def _problem(form: dict[str, str]) -> int:
    """Twilio's code against this form, 0 when it is good."""
    to, text, sender = form.get("To", ""), form.get("Body", ""), form.get("From", "")
    if not to:
        return 21604
    if not sender and not form.get("MessagingServiceSid"):
        return 21603
    if sender and not _SENDER(sender):
        return 21212
    if sender == QUEUE_FULL_SENDER:
        return 21611
    if not _E164(to):
        return 21211
    if not text and not form.get("MediaUrl") and not form.get("ContentSid"):
        return 21602
    return 21617 if len(text) > MAX_BODY else MAGIC.get(to, 0)


def _refused(code: int, form: dict[str, str] | None = None, status: int | None = None) -> Verdict:
    form = form or {}
    number, text = _ERRORS.get(code, (400, "Error"))
    status = status or number
    error = {
        "code": code,
        "message": text.format(to=form.get("To", ""), sender=form.get("From", "")),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return Verdict(status, [JSON], msgspec.json.encode(error), None, str(code))


def faulted(fault: Fault, now: float) -> Verdict:
    """The answer a status fault asks for; its reason is one of Twilio's numbers."""
    status = fault.status or 500
    reason = fault.reason or ""
    code = int(reason) if reason.isdecimal() else _BY_STATUS.get(status, 20500)
    verdict = _refused(code, status=status)
    return verdict._replace(headers=verdict.headers + retry_after(fault))


def describe(content: bytes) -> dict[str, Any]:
    """Sender and text as the phone would show them."""
    form = dict(parse_qsl(content.decode(), keep_blank_values=True))
    return {"from": form.get("From", form.get("MessagingServiceSid", "")), "text": form.get("Body")}
