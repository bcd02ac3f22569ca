"""An email as bytes: multipart text + HTML, correct and cheap (the standard library's builders cost
70 times as much per message; README). Pure."""

import base64
import binascii
import re
from email.utils import formatdate, parseaddr
from functools import lru_cache
from typing import Final

from actors.message import Message
from tocsin.errors import Permanent

_BOUNDARY: Final = "=_tocsin"
"""Quoted-printable text cannot hold `=_`, so no part can hold the boundary."""

_PLAIN = re.compile(r"[ !-~]*").fullmatch
_MAILBOX = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,188}[A-Za-z0-9])?"
).fullmatch
_LINE: Final = 76
_WORD_BYTES: Final = 42


def mail_of(message: Message, sender: str, now: float) -> bytes:
    """The whole message, CRLF line ends. `sender` is a From header's value; `now` Unix seconds.

    Raises `Permanent` when the address is not one that can stand in a header and an envelope.
    """
    content, delivery_id = message.content, message.delivery_id
    headers = [
        from_header(sender),
        f"To: {mailbox(message.address)}",
        header("Subject", content.title),
        f"Date: {_date(int(now))}",
        f"Message-ID: {message_id(delivery_id, sender)}",
        header("X-Tocsin-Delivery-Id", delivery_id),
        header("X-Tocsin-Type", message.type),
        "MIME-Version: 1.0",
    ]
    if content.unsubscribe:
        headers.append(f"List-Unsubscribe: <{content.unsubscribe}>")
        headers.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    text = _part("plain", content.body)
    if not content.html:
        return "\r\n".join([*headers, text]).encode()
    headers.append(f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"')
    parts = [text, _part("html", content.html)]
    body = "".join(f"\r\n--{_BOUNDARY}\r\n{part}" for part in parts)
    head = "\r\n".join(headers)
    return f"{head}\r\n{body}\r\n--{_BOUNDARY}--\r\n".encode()


def _part(kind: str, text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    encoded = binascii.b2a_qp(lines.encode("utf-8", "replace"), istext=True).decode()
    return (
        f"Content-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"{_crlf(encoded)}"
    )


def _crlf(encoded: str) -> str:
    """b2a_qp follows the first line end it sees, and writes bare ones where it sees none."""
    return encoded.replace("\r\n", "\n").replace("\n", "\r\n")


def dotted(mail: bytes) -> bytes:
    """A message of `mail_of` as DATA takes it (RFC 5321, 4.5.2): its lines' first dots doubled, and
    the line that ends it."""
    whole = mail if mail.endswith(b"\r\n") else mail + b"\r\n"
    return whole.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def mailbox(address: str) -> str:
    """The address, if it may go bare into a header and a command. Raises `Permanent`."""
    if not _MAILBOX(address):
        raise Permanent("malformed address", "smtp")
    return address


def header(name: str, value: str) -> str:
    """A folded header line. Whatever is not plain ASCII, and whatever would break out of the
    header, goes into encoded words (RFC 2047)."""
    if _PLAIN(value) and "=?" not in value and len(name) + len(value) + 2 <= _LINE:
        return f"{name}: {value}"
    return f"{name}: " + "\r\n ".join(_words(value))


def _words(value: str) -> list[str]:
    """Encoded words of at most 75 characters, none cutting a character in two."""
    words, room = [bytearray()], _WORD_BYTES
    for character in value:
        encoded = character.encode("utf-8", "replace")
        if len(words[-1]) + len(encoded) > room:
            words.append(bytearray())
        words[-1] += encoded
    return [f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words]


def message_id(delivery_id: str, sender: str) -> str:
    """Ours, the same on every attempt, so that a repetition is recognisable."""
    name = base64.urlsafe_b64encode(delivery_id.encode()).rstrip(b"=").decode()
    return f"<{name}@{envelope_sender(sender).rpartition('@')[2]}>"


@lru_cache(maxsize=8)
def from_header(sender: str) -> str:
    """`From:` with the display name encoded where it must be."""
    name, address = parseaddr(sender)
    if not name:
        return f"From: {address}"
    if _PLAIN(name) and "=?" not in name:
        quoted = name.replace("\\", r"\\").replace('"', r"\"")
        return f'From: "{quoted}" <{address}>'
    return "From: " + "\r\n ".join(_words(name)) + f" <{address}>"


@lru_cache(maxsize=8)
def envelope_sender(sender: str) -> str:
    """The bare address of a From value."""
    return parseaddr(sender)[1]


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second)
