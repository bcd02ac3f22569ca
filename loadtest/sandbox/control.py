"""The sandbox's own routes: the journal, the faults, the phones."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Meta

from loadtest.sandbox import apns, fcm, smtp, twilio
from loadtest.sandbox.faults import Fault, FaultBoard
from loadtest.sandbox.journal import Entry, Journal
from loadtest.sandbox.phones import Phones
from loadtest.sandbox.provider_token import ProviderTokens
from loadtest.sandbox.verdict import JSON, HeaderList, Provider
from tocsin.errors import Invalid
from tocsin.records import decode, encode
from tocsin.records.codec import as_invalid

T = TypeVar("T")
_DESCRIBE: Final = {
    "apns": apns.describe, "fcm": fcm.describe, "twilio": twilio.describe, "smtp": smtp.describe,
}  # fmt: skip
_CHUNK: Final = 250
"""Receipts rendered between two turns of the loop, so that a long page delays no provider call."""


class Reply(NamedTuple):
    """An answer; `stream` follows the body when there is one."""

    status: int
    headers: HeaderList
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None


class JournalQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """GET /sandbox/journal: receipts after `since`, oldest first. `recipient` is one address or
    several with commas between: only what went there. Without `contents` the words stay out."""

    provider: Provider | None = None
    recipient: Annotated[str, Meta(max_length=8_192)] | None = None
    since: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=10_000_000)] = 1_000
    format: Literal["json", "ndjson"] = "json"
    contents: bool = True


class PhoneQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """GET /sandbox/phones/{number}: messages after `after`, waiting up to `wait` s for one."""

    after: Annotated[int, Meta(ge=0)] = 0
    wait: Annotated[float, Meta(ge=0, le=30)] = 0


class FaultQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """DELETE /sandbox/faults: one provider's, or all."""

    provider: Provider | None = None


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Control:
    """Routes by method and path; every wrong input is a problem+json that names the field."""

    def __init__(
        self, journal: Journal, faults: FaultBoard, phones: Phones, tokens: ProviderTokens
    ) -> None:
        self._journal, self._faults = journal, faults
        self._phones, self._tokens = phones, tokens

    async def handle(self, method: str, path: str, query: str, body: bytes) -> Reply:
        """One control request."""
        try:
            if path.startswith("/sandbox/phones/"):
                return await self._phone(method, path.removeprefix("/sandbox/phones/"), query)
            return self._routed(method, path, query, body)
        except Invalid as error:
            return problem(422, "Invalid input", str(error), error.field)

    def _routed(self, method: str, path: str, query: str, body: bytes) -> Reply:
        match method, path:
            case "GET", "/sandbox/journal":
                return self._page(_query(JournalQuery, query))
            case "GET", "/sandbox/journal/summary":
                _query(_Nothing, query)
                summary = self._journal.summary() | {"provider_tokens": self._tokens.seen}
                return _json(summary)
            case "DELETE", "/sandbox/journal":
                self._journal.clear()
                self._phones.clear()
                return Reply(204, [])
            case "PUT", "/sandbox/faults":
                self._faults.put(decode(Fault, body).checked(), time.time())
                return _json({"faults": self._faults.listed(time.time())})
            case "GET", "/sandbox/faults":
                return _json({"faults": self._faults.listed(time.time())})
            case "DELETE", "/sandbox/faults":
                self._faults.clear(_query(FaultQuery, query).provider)
                return Reply(204, [])
            case "GET", "/healthz":
                return _json({"status": "ok"})
        if path in _METHODS:
            allowed = _METHODS[path]
            return problem(405, "Method not allowed", f"{path} takes {allowed}", allow=allowed)
        return problem(404, "Not found", f"there is no {path} here")

    async def _phone(self, method: str, raw: str, query: str) -> Reply:
        if method != "GET":
            return problem(405, "Method not allowed", "phones take GET", allow="GET")
        number = phone_number(raw)
        asked = _query(PhoneQuery, query)
        messages = await self._phones.wait(number, asked.after, asked.wait)
        last = messages[0]["sequence"] if messages else asked.after
        return _json({"number": number, "messages": messages, "last": last})

    def _page(self, asked: JournalQuery) -> Reply:
        truncated = asked.since + 1 < self._journal.first and self._journal.dropped > 0
        facts = {"first": self._journal.first, "last": self._journal.last, "truncated": truncated}
        headers = [(f"x-journal-{name}", str(value).lower()) for name, value in facts.items()]
        if asked.format == "ndjson":
            kind = ("content-type", "application/x-ndjson")
            return Reply(200, [kind, *headers], stream=self._lines(asked, b"\n", b"\n"))
        return Reply(200, [JSON, *headers], stream=self._as_json(asked, facts))

    async def _as_json(self, asked: JournalQuery, facts: dict[str, Any]) -> AsyncIterator[bytes]:
        yield encode(facts)[:-1] + b',"receipts":['
        async for chunk in self._lines(asked, b",", b""):
            yield chunk
        yield b"]}"

    async def _lines(
        self, asked: JournalQuery, between: bytes, at_end: bytes
    ) -> AsyncIterator[bytes]:
        """Rendered receipts, joined; a turn of the loop is given up after each chunk."""
        left, chunk, lead = asked.limit, [], b""
        wanted = frozenset(asked.recipient.split(",")) if asked.recipient else None
        entries = self._journal.entries(asked.since, asked.provider, wanted)
        for looked, entry in enumerate(entries, 1):
            if entry is not None:
                chunk.append(encode(rendered(entry, asked.contents)))
                left -= 1
            if chunk and (left == 0 or len(chunk) == _CHUNK):
                yield lead + between.join(chunk) + at_end
                chunk, lead = [], b"" if at_end else between
            if left == 0:
                return
            if looked % _CHUNK == 0:
                await asyncio.sleep(0)
        if chunk:
            yield lead + between.join(chunk) + at_end


def rendered(entry: Entry, contents: bool = True) -> dict[str, Any]:
    """A receipt as a person or a checker reads it; the text is null once it was dropped."""
    fields = entry._asdict()
    content = fields.pop("content")
    if not entry.collapse_id:
        del fields["collapse_id"]
    if not contents:
        return fields
    if content is None:
        return fields | {"content_dropped": True}
    try:
        return fields | _DESCRIBE[entry.provider](content)
    except Exception as error:
        # accepted mail can be anything; one message nobody can read must not hide the others
        return fields | {"unreadable": f"{type(error).__name__}: {error}"}


def phone_number(raw: str) -> str:
    """E.164 from a path segment, where `+` may be itself, %2B, a space, or missing."""
    digits = unquote(raw).strip().removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and 3 <= len(digits) <= 15):
        raise Invalid("number", f"{raw!r} is not an E.164 phone number")
    return f"+{digits}"


def _query(kind: type[T], query: str) -> T:
    """The query string as a `kind`. Raises `Invalid` naming the parameter."""
    try:
        return msgspec.convert(dict(parse_qsl(query)), kind, strict=False)
    except msgspec.ValidationError as error:
        raise as_invalid(error) from None


def _json(value: Any) -> Reply:
    return Reply(200, [JSON], encode(value))


def problem(status: int, title: str, detail: str, field: str = "", allow: str = "") -> Reply:
    """RFC 9457 problem details; `field` is the dotted path of what is wrong."""
    content: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    content |= {"detail": detail} | ({"field": field} if field else {})
    headers = [("content-type", "application/problem+json")] + ([("allow", allow)] if allow else [])
    return Reply(status, headers, encode(content))


_METHODS: Final = {
    "/sandbox/journal": "GET, DELETE", "/sandbox/journal/summary": "GET",
    "/sandbox/faults": "GET, PUT, DELETE", "/healthz": "GET",
}  # fmt: skip
