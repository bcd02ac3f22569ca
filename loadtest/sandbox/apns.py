"""Apple Push Notification service, the provider API's side: one POST per device."""

import os
import re
import uuid
from typing import Any, Final

import msgspec

from loadtest.sandbox.faults import Fault
from loadtest.sandbox.provider_token import ProviderTokens
from loadtest.sandbox.verdict import JSON, HeaderList, Headers, Receipt, Verdict

PATH: Final = "/3/device/"
MAX_PAYLOAD: Final = {"voip": 5120}
GONE_PREFIX: Final = "deadbeef"
"""A device token that starts so is one whose app was removed: 410 Unregistered."""

STATUS: Final = {
    "BadCollapseId": 400, "BadDeviceToken": 400, "BadExpirationDate": 400, "BadMessageId": 400,
    "BadPriority": 400, "DeviceTokenNotForTopic": 400, "InvalidPushType": 400,
    "MissingDeviceToken": 400, "MissingTopic": 400, "PayloadEmpty": 400,
    "ExpiredProviderToken": 403, "InvalidProviderToken": 403, "MissingProviderToken": 403,
    "BadPath": 404, "MethodNotAllowed": 405, "ExpiredToken": 410, "Unregistered": 410,
    "PayloadTooLarge": 413, "TooManyProviderTokenUpdates": 429, "TooManyRequests": 429,
    "InternalServerError": 500, "ServiceUnavailable": 503,
}  # fmt: skip
_BY_STATUS: Final = {
    400: "BadDeviceToken", 403: "InvalidProviderToken", 404: "BadPath", 405: "MethodNotAllowed",
    410: "Unregistered", 413: "PayloadTooLarge", 429: "TooManyRequests", 503: "ServiceUnavailable",
}  # fmt: skip
_PUSH_TYPES: Final = frozenset({
    "alert", "background", "location", "voip", "complication", "fileprovider", "mdm",
    "liveactivity", "pushtotalk", "widgets", "controls",
})  # fmt: skip
_TOKEN: Final = re.compile(r"(?:[0-9a-fA-F]{2}){32,100}").fullmatch
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}").fullmatch


class _Payload(msgspec.Struct):
    aps: dict[str, Any]
    delivery_id: str = ""
    type: str = ""


_decode = msgspec.json.Decoder(_Payload).decode


class Apns:
    """One app (`topic`) and one provider key. Pure but for the tokens it remembers."""

    def __init__(self, tokens: ProviderTokens, topic: str) -> None:
        self._tokens, self._topic = tokens, topic

    def judge(self, method: str, path: str, headers: Headers, body: bytes, now: float) -> Verdict:
        """What Apple answers to this request. `now` is Unix seconds."""
        apns_id = headers.get("apns-id")
        reason = "" if apns_id is None or _UUID(apns_id) else "BadMessageId"
        apns_id = apns_id if apns_id and not reason else new_apns_id()
        token = path[len(PATH) :]
        reason = reason or self._refusal(method, token, headers, body, now)
        if reason:
            return refused(reason, apns_id, now)
        try:
            payload = _decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            # Apple lists no reason for broken JSON; a payload it cannot read is an empty one to it
            return refused("PayloadEmpty", apns_id, now)
        collapse_id = headers.get("apns-collapse-id") or ""
        receipt = Receipt(
            "apns", token, apns_id, payload.delivery_id, payload.type, body, collapse_id
        )
        return Verdict(200, [("apns-id", apns_id)], b"", receipt)

    def _refusal(self, method: str, token: str, headers: Headers, body: bytes, now: float) -> str:
        if method != "POST":
            return "MethodNotAllowed"
        return (
            self._tokens.refusal(headers, now)
            or self._bad_headers(headers)
            or _bad_device(token)
            or _bad_size(headers, body)
        )

    def _bad_headers(self, headers: Headers) -> str:
        topic = headers.get("apns-topic")
        if not topic:
            return "MissingTopic"
        if topic != self._topic:
            return "DeviceTokenNotForTopic"
        if (headers.get("apns-push-type") or "alert") not in _PUSH_TYPES:
            return "InvalidPushType"
        if (headers.get("apns-priority") or "10") not in ("10", "5", "1"):
            return "BadPriority"
        if not (headers.get("apns-expiration") or "0").isdecimal():
            return "BadExpirationDate"
        collapse_id = headers.get("apns-collapse-id")
        return "BadCollapseId" if collapse_id and len(collapse_id.encode()) > 64 else ""


def _bad_device(token: str) -> str:
    if not token:
        return "MissingDeviceToken"
    if not _TOKEN(token):
        return "BadDeviceToken"
    return "Unregistered" if token.startswith(GONE_PREFIX) else ""


def _bad_size(headers: Headers, body: bytes) -> str:
    if not body:
        return "PayloadEmpty"
    limit = MAX_PAYLOAD.get(headers.get("apns-push-type") or "", 4096)
    return "PayloadTooLarge" if len(body) > limit else ""


def refused(reason: str, apns_id: str, now: float, status: int | None = None) -> Verdict:
    """Apple's error for `reason`; 410 says since when the token is dead, in milliseconds."""
    status = status or STATUS.get(reason, 400)
    content: dict[str, Any] = {"reason": reason}
    if status == 410:
        content["timestamp"] = int(now * 1000)
    body = msgspec.json.encode(content)
    return Verdict(status, [("apns-id", apns_id), JSON], body, None, reason)


def faulted(fault: Fault, now: float) -> Verdict:
    """The answer a status fault asks for."""
    status = fault.status or 500
    reason = fault.reason or _BY_STATUS.get(status, "InternalServerError")
    verdict = refused(reason, new_apns_id(), now, status)
    return verdict._replace(headers=verdict.headers + retry_after(fault))


def retry_after(fault: Fault) -> HeaderList:
    """The header, if the fault has one."""
    return [] if fault.retry_after is None else [("retry-after", str(fault.retry_after))]


def new_apns_id() -> str:
    """A random id, upper case as Apple makes them."""
    return str(uuid.UUID(bytes=os.urandom(16), version=4)).upper()


def describe(content: bytes) -> dict[str, Any]:
    """Title and body as the phone would show them."""
    alert = _decode(content).aps.get("alert", "")
    if not isinstance(alert, dict):
        return {"title": "", "body": str(alert)}
    return {"title": str(alert.get("title", "")), "body": str(alert.get("body", ""))}
