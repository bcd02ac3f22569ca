"""Who was erased is nobody in ClickHouse, and no count has changed."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver import AsyncClient

from analytics.audit import audit
from analytics.named import query
from analytics.summary import summary
from analytics.writer.eraser import Eraser
from analytics.writer.forgotten import CLEARED, PERSONAL, Forgotten
from analytics.writer.rows import Erasure, Request
from analytics.writer.tables import (
    ACCEPTED,
    DEAD_LETTERS,
    DECISIONS,
    DELIVERIES,
    ENGAGEMENT,
    ERASURES,
    REQUESTS,
    milliseconds,
)
from tests.integration.test_analytics_schema import insert, outcome
from tests.integration.writing import Traffic, start_writer
from tocsin.kafka import start_producer
from tocsin.records import DeadLetter, Engagement, Profile, State, encode
from tocsin.settings import Settings

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(microsecond=0)
BEFORE, ERASED_AT = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
PEOPLE = ("ada", "bob", "cy")


def _letter(offset: int, payload: bytes) -> DeadLetter:
    packed = base64.b64encode(payload).decode()
    return DeadLetter("notification.requests", 0, offset, "Invalid", "why", packed, BEFORE)


async def told(client: AsyncClient, user_id: str, name: str, at: datetime) -> None:
    """One notification with everything that may be on record about it, delivered and clicked."""
    times = milliseconds(at), milliseconds(at)
    row = Request(name, user_id, "SALE_OFFER", *times, "notification.requests", 0, 1)
    more: dict[str, Any] = {"user_id": user_id, "accepted_at": at, "at": at}
    click = Engagement(
        f"e-{name}", "click", name, user_id, at, "push", link="https://a.example/?u=1",
        reference="order-1", value=9.5, currency="EUR",
    )  # fmt: skip
    sent = outcome(name, State.DELIVERED, provider_message_id="m-1", destination="a.example",
                   content_hash=1, data_hash=2, **more)  # fmt: skip
    await insert(client, REQUESTS, row)
    await insert(client, ACCEPTED, outcome(name, State.ACCEPTED, **more))
    await insert(client, DELIVERIES, sent)
    await insert(client, DECISIONS, outcome(name, State.ACCEPTED, trace="opt_out=no", **more))
    await insert(client, ENGAGEMENT, click)


@pytest.fixture
async def books(clickhouse: AsyncClient) -> AsyncClient:
    """Everybody was told one thing."""
    for user_id in PEOPLE:
        await told(clickhouse, user_id, f"n-{user_id}", BEFORE)
    return clickhouse


async def erase(client: AsyncClient, eraser: Eraser, *user_ids: str) -> None:
    await insert(client, ERASURES, *(Erasure(u, milliseconds(ERASED_AT), False) for u in user_ids))
    await settled(eraser)


async def settled(eraser: Eraser) -> None:
    """Look until there is nothing left to do; mutations work in the background."""
    async with asyncio.timeout(30):
        while await eraser.look():
            await asyncio.sleep(0.05)


async def people(client: AsyncClient, table: str) -> list[str]:
    found = await client.query(f"SELECT user_id FROM tocsin.{table} FINAL ORDER BY user_id")
    return [user_id for (user_id,) in found.result_rows]


async def counts(client: AsyncClient) -> tuple[Any, ...]:
    """Everything that must not change."""
    report = await audit(client, NOW, quiescent=True, every_id=True)
    clicks = await client.query(query("click_through"))
    return report, await summary(client), clicks.result_rows


@pytest.fixture
def eraser(clickhouse: AsyncClient) -> Eraser:
    return Eraser(clickhouse, Forgotten())


async def test_every_table_forgets_the_person_and_only_that_person(
    books: AsyncClient, eraser: Eraser
) -> None:
    before = await counts(books)
    await erase(books, eraser, "ada")
    for table in PERSONAL:
        assert await people(books, table.name) == ["", "bob", "cy"], table.name
    assert await counts(books) == before
    deeds = await books.query(
        "SELECT link, reference, value FROM tocsin.engagement ORDER BY user_id LIMIT 2"
    )
    assert deeds.result_rows == [("", "", 9.5), ("https://a.example/?u=1", "order-1", 9.5)]
    sent = await books.query(
        "SELECT provider_message_id, destination, content_hash, data_hash"
        " FROM tocsin.deliveries ORDER BY user_id LIMIT 2"
    )
    assert sent.result_rows == [("", "", 0, 0), ("m-1", "a.example", 1, 2)]
    why = await books.query("SELECT trace FROM tocsin.decisions WHERE user_id = ''")
    assert why.result_rows == [("opt_out=no",)]


async def test_no_id_stays_behind_in_what_the_engine_remembers_of_it(
    books: AsyncClient, eraser: Eraser
) -> None:
    await erase(books, eraser, "ada")
    done = await books.query(
        "SELECT countIf(NOT is_done), countIf(command LIKE '%ada%') FROM system.mutations"
        " WHERE database = 'tocsin' AND command LIKE '%erased%'"
    )
    assert done.result_rows == [(0, 0)]


async def mutations(client: AsyncClient) -> int:
    found = await client.query("SELECT count() FROM system.mutations WHERE database = 'tocsin'")
    return int(found.result_rows[0][0])


async def test_many_people_are_one_mutation_per_table_and_again_none(
    books: AsyncClient, eraser: Eraser
) -> None:
    await insert(books, DEAD_LETTERS, _letter(1, b'{"user_id":"cy"'))
    before = await mutations(books)
    await erase(books, eraser, *PEOPLE, *(f"nobody-{i}" for i in range(5_000)))
    assert await mutations(books) - before == len(CLEARED)
    assert await people(books, "deliveries") == ["", "", ""]
    # another writer, or this one after a crash
    await settled(Eraser(books, Forgotten()))
    assert await mutations(books) - before == len(CLEARED)


async def test_rows_that_arrive_later_are_erased_too(books: AsyncClient) -> None:
    forgotten = Forgotten()
    eraser = Eraser(books, forgotten)
    await erase(books, eraser, "ada")
    late = outcome("late", State.DELIVERED, user_id="ada", accepted_at=BEFORE, at=NOW)
    await insert(books, DELIVERIES, late)
    forgotten.wrote(DELIVERIES, DELIVERIES.fill([late]))
    assert forgotten.suspects == [DELIVERIES]
    await settled(eraser)
    assert await people(books, "deliveries") == ["", "", "bob", "cy"]


async def test_who_comes_back_begins_anew(books: AsyncClient, eraser: Eraser) -> None:
    back = Erasure("ada", milliseconds(ERASED_AT + timedelta(minutes=10)), True)
    await insert(books, ERASURES, back)
    await told(books, "ada", "welcome", NOW)
    await erase(books, eraser, "ada")
    for table in PERSONAL:
        assert await people(books, table.name) == ["", "ada", "bob", "cy"], table.name


async def test_of_letters_that_mention_the_person_only_the_reason_stays(
    books: AsyncClient, eraser: Eraser
) -> None:
    ada = {"notification_id": "x", "user_id": "ada", "type": "nonsense"}
    payloads = [
        json.dumps(ada), json.dumps({"requests": [{"user_id": "bob"}, ada]}), '{"userId":"ada"',
        json.dumps({"user_id": "adam", "data": {"text": "to ada"}}), '{"user_id":"\\u0061da"}',
        json.dumps({"user_id": "bob"}),
    ]  # fmt: skip
    await insert(books, DEAD_LETTERS, *(_letter(i, p.encode()) for i, p in enumerate(payloads)))
    before = await counts(books)
    await erase(books, eraser, "ada")
    found = await books.query(
        "SELECT payload_b64 != '', reason FROM tocsin.dead_letters ORDER BY offset"
    )
    assert found.result_rows == [(kept, "why") for kept in (0, 0, 0, 1, 0, 1)]
    assert await counts(books) == before


async def test_ids_may_hold_anything(books: AsyncClient, eraser: Eraser) -> None:
    for i, name in enumerate(
        odd := ["o'neil", 'say "hi"', "back\\slash", "%_", "Zoë 🎁", "{id:String}"]
    ):
        await told(books, name, f"odd-{i}", BEFORE)
        await insert(books, DEAD_LETTERS, _letter(i, json.dumps({"user_id": name}).encode()))
    await erase(books, eraser, *odd)
    assert await people(books, "requests") == [*[""] * len(odd), *PEOPLE]
    left = await books.query("SELECT count() FROM tocsin.dead_letters WHERE payload_b64 != ''")
    assert left.result_rows == [(0,)]


async def test_rows_are_written_while_a_table_is_rewritten(
    books: AsyncClient, eraser: Eraser
) -> None:
    filler = [outcome(f"f{i}", State.DELIVERED, user_id="ada") for i in range(50_000)]
    await insert(books, DELIVERIES, *filler)
    await insert(books, ERASURES, Erasure("ada", milliseconds(NOW), False))
    assert await eraser.look()
    for i in range(5):
        async with asyncio.timeout(60):
            await insert(books, DELIVERIES, outcome(f"meanwhile-{i}", State.DELIVERED))
    await settled(eraser)
    left = await books.query(
        "SELECT count(), countIf(user_id = 'ada') FROM tocsin.deliveries FINAL"
    )
    assert left.result_rows == [(50_000 + len(PEOPLE) + 5, 0)]


def test_every_cleared_table_is_told_how() -> None:
    assert len(set(CLEARED)) == len(PERSONAL) + 1


async def test_a_tombstone_reaches_clickhouse_through_the_writer(
    pipeline: Settings, clickhouse: AsyncClient
) -> None:
    traffic = Traffic(pipeline)
    process = start_writer(pipeline)
    try:
        born = encode(Profile("u", created_at=datetime.now(UTC), version=1))
        producer = await start_producer(pipeline)
        await producer.send_and_wait("profiles", born, b"u", partition=0)
        await traffic.send(50)
        await traffic.arrive(clickhouse)
        await producer.send_and_wait("profiles", None, b"u", partition=0)
        await producer.stop()
        async with asyncio.timeout(30):
            while set(await people(clickhouse, "requests")) != {""}:
                await asyncio.sleep(0.1)
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert await traffic.rows(clickhouse) == (50, 50, 50)
    assert "rows of people who were erased" in output
