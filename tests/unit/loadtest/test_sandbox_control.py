"""The control routes: pages of the journal, phones, and wrong input."""

import asyncio
import json
from typing import Any

import pytest

from loadtest.sandbox.control import Control, Reply
from loadtest.sandbox.faults import FaultBoard
from loadtest.sandbox.journal import Journal
from loadtest.sandbox.phones import Phones
from loadtest.sandbox.verdict import Receipt

PUSH = Receipt("apns", "ab", "i1", "n1:push", "REVIEW", b'{"aps":{"alert":"Hello"}}')
SMS = Receipt("twilio", "+12025550123", "SM1", "n1:sms", "OTP", b"To=%2B12025550123&Body=Hi+there")


class _Tokens:
    seen = 1


class _World:
    def __init__(self) -> None:
        self.journal, self.faults = Journal(), FaultBoard()
        self.phones = Phones(self.journal)
        self.control = Control(self.journal, self.faults, self.phones, _Tokens())  # type: ignore[arg-type]

    def text(self, receipt: Receipt = SMS) -> int:
        sequence = self.journal.accept(receipt, 1.0)
        self.phones.arrived(receipt.recipient, sequence)
        return sequence

    async def get(self, path: str, query: str = "", method: str = "GET") -> tuple[Reply, bytes]:
        reply = await self.control.handle(method, path, query, b"")
        chunks = [chunk async for chunk in reply.stream] if reply.stream else []
        return reply, reply.body + b"".join(chunks)

    async def json(self, path: str, query: str = "") -> Any:
        return json.loads((await self.get(path, query))[1])


async def test_the_journal_comes_as_json_or_as_lines() -> None:
    world = _World()
    for _ in range(600):
        world.journal.accept(PUSH, 1.5)
    page = await world.json("/sandbox/journal", "since=10&limit=520")
    assert [r["sequence"] for r in page["receipts"]] == list(range(11, 531))
    assert page["receipts"][0] == {
        "sequence": 11, "received_at": 1.5, "provider": "apns", "recipient": "ab", "id": "i1",
        "delivery_id": "n1:push", "type": "REVIEW", "bytes": 25, "title": "", "body": "Hello",
    }  # fmt: skip
    _, lines = await world.get("/sandbox/journal", "format=ndjson&limit=1000")
    assert [json.loads(line)["sequence"] for line in lines.splitlines()] == list(range(1, 601))


async def test_the_journal_without_the_words() -> None:
    world = _World()
    world.journal.accept(PUSH, 1.5)
    page = await world.json("/sandbox/journal", "contents=false")
    assert page["receipts"] == [
        {"sequence": 1, "received_at": 1.5, "provider": "apns", "recipient": "ab", "id": "i1",
         "delivery_id": "n1:push", "type": "REVIEW", "bytes": 25}
    ]  # fmt: skip


async def test_the_journal_of_some_recipients_alone() -> None:
    world = _World()
    for receipt in (PUSH, SMS, PUSH._replace(recipient="cd"), PUSH):
        world.journal.accept(receipt, 1.0)
    page = await world.json("/sandbox/journal", "recipient=%2B12025550123,cd")
    assert [r["sequence"] for r in page["receipts"]] == [2, 3]
    assert page["last"] == 4
    nobody = await world.json("/sandbox/journal", "recipient=a")
    assert nobody["receipts"] == []


async def test_an_empty_journal_is_still_good_json() -> None:
    assert (await _World().json("/sandbox/journal", "provider=fcm"))["receipts"] == []


async def test_one_providers_receipts_are_picked_out() -> None:
    world = _World()
    for receipt in (PUSH, SMS, PUSH):
        world.journal.accept(receipt, 1)
    page = await world.json("/sandbox/journal", "provider=twilio")
    assert [(r["sequence"], r["text"]) for r in page["receipts"]] == [(2, "Hi there")]


async def test_a_message_nobody_can_read_hides_no_other() -> None:
    world = _World()
    world.journal.accept(PUSH._replace(content=b"\xff"), 1)
    world.journal.accept(PUSH, 1)
    first, second = (await world.json("/sandbox/journal"))["receipts"]
    assert "unreadable" in first
    assert second["body"] == "Hello"


@pytest.mark.parametrize(
    "raw", ["+12025550123", "%2B12025550123", "%2b12025550123", " 12025550123"]
)
async def test_a_phone_shows_its_newest_message_first(raw: str) -> None:
    world = _World()
    first, last = world.text(), world.text(SMS._replace(content=b"Body=Later"))
    world.text(SMS._replace(recipient="+12025550199"))
    page = await world.json(f"/sandbox/phones/{raw}")
    assert [m["text"] for m in page["messages"]] == ["Later", "Hi there"]
    assert (page["number"], page["last"]) == ("+12025550123", last)
    after = await world.json(f"/sandbox/phones/{raw}", f"after={first}")
    assert [m["text"] for m in after["messages"]] == ["Later"]


async def test_a_waiting_phone_hears_the_next_message_only() -> None:
    world = _World()
    old = world.text()
    path = "/sandbox/phones/+12025550123"
    waiting = asyncio.create_task(world.json(path, f"after={old}&wait=30"))
    await asyncio.sleep(0)
    world.text(SMS._replace(recipient="+12025550199"))
    new = world.text()
    assert [m["sequence"] for m in (await waiting)["messages"]] == [new]


async def test_waiting_in_vain_answers_with_nothing() -> None:
    page = await _World().json("/sandbox/phones/+12025550123", "wait=0.01&after=7")
    assert (page["messages"], page["last"]) == ([], 7)


async def test_closing_ends_every_wait() -> None:
    world = _World()
    waiting = asyncio.create_task(world.json("/sandbox/phones/+12025550123", "wait=30"))
    await asyncio.sleep(0)
    world.phones.close()
    assert (await waiting)["messages"] == []


@pytest.mark.parametrize(
    ("path", "query", "status", "field"),
    [
        ("/sandbox/journal", "limit=0", 422, "limit"),
        ("/sandbox/journal", "since=minus", 422, "since"),
        ("/sandbox/journal", "format=xml", 422, "format"),
        ("/sandbox/journal", "provider=pigeon", 422, "provider"),
        ("/sandbox/journal", "sinc=1", 422, "sinc"),
        ("/sandbox/phones/jo", "", 422, "number"),
        ("/sandbox/phones/+12025550123", "wait=31", 422, "wait"),
        ("/sandbox/nowhere", "", 404, None),
    ],
)
async def test_wrong_input_is_a_problem_that_names_the_field(
    path: str, query: str, status: int, field: str | None
) -> None:
    reply, body = await _World().get(path, query)
    assert ("content-type", "application/problem+json") in reply.headers
    assert (reply.status, json.loads(body).get("field")) == (status, field)


async def test_a_wrong_method_is_told_the_right_ones() -> None:
    reply, _ = await _World().get("/sandbox/faults", method="POST")
    assert reply.status == 405
    assert ("allow", "GET, PUT, DELETE") in reply.headers
