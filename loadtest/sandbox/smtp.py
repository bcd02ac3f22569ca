"""The mail side's decisions: which mailbox exists, what becomes of a message."""

import re
import time
from contextlib import suppress
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from random import random
from typing import Any, Final

from loadtest.sandbox.faults import Fault, FaultBoard
from loadtest.sandbox.journal import Journal
from loadtest.sandbox.smtp_session import Disposition, Envelope
from loadtest.sandbox.verdict import Receipt
from tocsin.ids import new_id

MAGIC: Final = {
    "bounce": b"550 5.1.1 No such mailbox\r\n",
    "blocked": b"550 5.7.1 Message refused by policy\r\n",
    "full": b"452 4.2.2 Mailbox full\r\n",
    "greylist": b"451 4.7.1 Greylisted, try again later\r\n",
}
"""A mailbox of this name (`bounce@…`, `bounce+anything@…`) is refused with this reply."""

_WORDS: Final = {
    421: "4.3.2 Service not available", 450: "4.2.1 Mailbox unavailable", 451: "4.3.0 Local error",
    452: "4.3.1 Insufficient storage", 454: "4.7.0 Temporary failure, too many messages",
    550: "5.1.1 No such mailbox", 552: "5.3.4 Message too big", 554: "5.7.1 Refused by policy",
}  # fmt: skip
_FIELDS: Final = re.compile(
    rb"^(message-id|x-tocsin-delivery-id|x-tocsin-type):((?:[^\r\n]|\r\n[ \t])*)",
    re.IGNORECASE | re.MULTILINE,
)
_FOLD: Final = re.compile(r"\r\n(?=[ \t])")


class PostOffice:
    """Accepts into the journal, unless a magic mailbox or a fault says otherwise."""

    def __init__(self, journal: Journal, faults: FaultBoard, user: str, password: str) -> None:
        self._journal, self._faults = journal, faults
        self._login = (user, password)

    def recipient(self, address: str) -> bytes | None:
        """The refusal of a magic mailbox, else None."""
        name = address.partition("@")[0].partition("+")[0].lower()
        refusal = MAGIC.get(name)
        if refusal:
            self._journal.reject("smtp", refusal[:9].decode())
        return refusal

    def login(self, user: str, password: str) -> bool:
        """Whether these are the sandbox's own credentials."""
        return (user, password) == self._login

    def message(self, envelope: Envelope) -> Disposition:
        """Journal it, one receipt per recipient, or do what the fault in force asks for."""
        now = time.time()
        fault = self._faults.draw("smtp", now, random())
        if fault and fault.status:
            self._journal.reject("smtp", str(fault.status))
            # RFC 5321, 3.8: 421 is the server's last word
            return Disposition(_fault_reply(fault), fault.delay, close=fault.status == 421)
        queue_id = new_id()
        for receipt in receipts(envelope, queue_id):
            self._journal.accept(receipt, now)
        reply = b"250 2.0.0 Ok: queued as %b\r\n" % queue_id.encode()
        if fault is None:
            return Disposition(reply)
        return Disposition(reply, fault.delay, fault.reset_after_accept)


def _fault_reply(fault: Fault) -> bytes:
    status = fault.status or 451
    text = fault.reason or _WORDS.get(status, f"{status // 100}.0.0 Refused")
    after = "" if fault.retry_after is None else f"; retry after {fault.retry_after}"
    return f"{status} {text}{after}\r\n".encode()


def receipts(envelope: Envelope, queue_id: str) -> list[Receipt]:
    """One per recipient. Without the header, the delivery's id is the Message-ID's local part."""
    fields = _named_fields(envelope.content)
    message_id = fields.get(b"message-id", "").strip("<>") or queue_id
    delivery_id = fields.get(b"x-tocsin-delivery-id") or (
        message_id.partition("@")[0] if b"message-id" in fields else ""
    )
    type_ = fields.get(b"x-tocsin-type", "")
    return [
        Receipt("smtp", address, message_id, delivery_id, type_, envelope.content)
        for address in envelope.recipients
    ]


def _named_fields(content: bytes) -> dict[bytes, str]:
    end = content.find(b"\r\n\r\n")
    found = _FIELDS.findall(content, 0, end if end >= 0 else len(content))
    return {name.lower(): _unfolded(value.decode("utf-8", "replace")) for name, value in found}


def _unfolded(value: str) -> str:
    """A long value is folded, and may be in encoded words (RFC 2047)."""
    if "=?" in value:
        with suppress(LookupError, ValueError, HeaderParseError):
            return str(make_header(decode_header(_FOLD.sub("", value)))).strip()
    return _FOLD.sub("", value).strip() if "\r\n" in value else value.strip()


def describe(content: bytes) -> dict[str, Any]:
    """Subject and text as a mail program would show them; HTML only where there is no text."""
    message = message_from_bytes(content, policy=policy.default)
    body = message.get_body(("plain", "html"))
    return {
        "subject": str(message.get("subject", "")),
        "from": str(message.get("from", "")),
        "text": body.get_content().replace("\r\n", "\n") if body is not None else "",
    }
