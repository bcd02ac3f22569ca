"""`tocsin dlq`: what is listed, what is put back, and that it is known afterwards."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from streams import dlq
from streams.bury import Bury
from tocsin.dead import letters
from tocsin.errors import Invalid
from tocsin.kafka import PLACE_HEADER, start_producer
from tocsin.log import read_all
from tocsin.settings import Settings
from tocsin.topics import INVENTORY, REQUESTS

pytestmark = pytest.mark.integration


@pytest.fixture
async def _buried(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record with two bad requests in it, and a bad stock change."""
    monkeypatch.setattr("streams.dlq.settings_module.load", lambda: settings)
    producer = await start_producer(settings)
    bury, batch = Bury(producer), b'{"requests":[{},{}]}'
    for index in (0, 1):
        wrong = Invalid(f"requests[{index}].user_id", "missing")
        await bury.one(REQUESTS.name, 1, 7, batch, wrong)
    await bury.one(INVENTORY.name, 0, 3, b"{}", Invalid("sku", "missing"))
    await producer.stop()


async def run(*arguments: str) -> str:
    """The command in a thread of its own: it runs an event loop itself."""
    result = await asyncio.to_thread(CliRunner().invoke, dlq.app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("_buried")
async def test_letters_are_listed_put_back_once_and_known_to_be(settings: Settings) -> None:
    found = json.loads(await run("list", "--json"))
    assert {x["place"] for x in found} == {f"{REQUESTS.name}:1:7", f"{INVENTORY.name}:0:3"}
    assert len(found) == 3
    listed = json.loads(await run("list", "--json", "--topic", INVENTORY.name))
    assert [(x["field"], x["put_back_at"]) for x in listed] == [("sku", None)]

    assert "3 would be put back" in await run("replay", "all", "--dry-run")
    assert all(x.put_back_at is None for x in await letters(settings))

    before = datetime.now(UTC)
    assert "2 put back" in await run("replay", "all", "--topic", REQUESTS.name)
    records = [r async for r in read_all(settings, REQUESTS)]
    assert [(r.partition, r.value, dict(r.headers)[PLACE_HEADER]) for r in records] == [
        (1, b'{"requests":[{},{}]}', f"{REQUESTS.name}:1:7".encode())
    ], "one record, though two letters are about it"
    after = {x.topic: x.put_back_at for x in await letters(settings)}
    assert after[INVENTORY.name] is None
    assert (after[REQUESTS.name] or before) > before

    assert "1 put back" in await run("replay", "all")
    assert "0 put back" in await run("replay", "all")
    again = await run("replay", f"{INVENTORY.name}:0:3")
    assert "again is harmless" in again
    assert "1 put back" in again
    assert len(await letters(settings)) == 3
    assert f"{INVENTORY.name}:0:3" in await run("list")


@pytest.mark.usefixtures("_buried")
async def test_a_place_without_a_letter_is_said() -> None:
    for command in ("show", "replay"):
        result = await asyncio.to_thread(CliRunner().invoke, dlq.app, [command, "x:0:0"])
        assert result.exit_code == 1
        assert "no dead letter at x:0:0" in result.output
