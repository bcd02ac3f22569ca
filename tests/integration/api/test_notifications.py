"""Notifications over HTTP: a 202 is a promise, and asking twice is asking once."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from unittest.mock import AsyncMock

import pytest
from aiokafka.errors import KafkaTimeoutError

from api.services import Services
from api.status import deliveries_of
from tests.integration.api.conftest import Log, Record
from tests.unit.api.asgi import Answer, Client
from tocsin.errors import EngineUnavailable
from tocsin.kafka import partition_for
from tocsin.records import NotificationRequest, State, lane_of, split_requests
from tocsin.settings import Settings
from tocsin.store import Claims, SendResult
from tocsin.topics import MAX_RECORD_BYTES, REQUESTS, REQUESTS_HIGH, REQUESTS_LOW, Topic

pytestmark = pytest.mark.integration

HELLO = {"user_id": "ada", "type": "ORDER_UPDATE", "data": {"order": "7"}}


@pytest.fixture(autouse=True)
async def _people(shop: Client) -> None:
    await shop("POST", "/v1/users:batch", [{"user_id": u} for u in ("ada", "bea", "cleo")])


def requests(records: list[Record]) -> list[NotificationRequest]:
    found = [r for _, value in records if value for r in split_requests(value)]
    return [r for r in found if isinstance(r, NotificationRequest)]


async def send(shop: Client, body: object, key: str | None = None, batch: bool = False) -> Answer:
    path = f"/v1/notifications{':batch' * batch}"
    if key is None:
        return await shop("POST", path, body)
    return await shop("POST", path, body, idempotency_key=key)


async def test_what_is_accepted_is_in_kafka(shop: Client, log: Log) -> None:
    await log.since(REQUESTS)
    before = datetime.now(UTC)
    answer = await send(shop, HELLO)
    assert answer.status == 202
    ((key, value),) = found = await log.read(1)
    assert key == b"ada"
    assert value is not None
    (request,) = requests(found)
    assert request.notification_id == answer.json["notification_id"]
    assert request.accepted_at is not None
    assert before <= request.accepted_at <= datetime.now(UTC)
    assert request.data == {"order": "7"}


async def test_an_id_of_the_callers_own_is_kept(shop: Client) -> None:
    answer = await send(shop, HELLO | {"notification_id": "order-7"})
    assert answer.json == {"notification_id": "order-7"}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"user_id": "nobody"}, "#/user_id"),
        ({"type": "lower"}, "#/type"),
        ({"type": "OTP"}, "#/type"),
        ({"priority": "urgent"}, "#/priority"),
        ({"channels": ["push", "fax"]}, "#/channels/1"),
        ({"expires_at": "tomorrow"}, "#/expires_at"),
        ({"accepted_at": "2026-01-01T00:00:00Z"}, "#/accepted_at"),
        ({"data": []}, "#/data"),
        ({"data": {}}, "#/data/order"),
        ({"data": {"order_id": [7]}}, "#/data/order_id"),
        ({"type": "ORDER_CONFIRMATION", "data": {"order": 7, "total": 1}}, "#/data/currency"),
        ({"template_id": "NOTHING"}, "#/template_id"),
        ({"template_id": "OTP"}, "#/template_id"),
        ({"template_version": 3}, "#/template_version"),
        ({"template_version": -1}, "#/template_version"),
    ],
)
async def test_what_is_wrong_is_named(
    shop: Client, log: Log, change: dict[str, object], pointer: str
) -> None:
    await log.since(REQUESTS)
    answer = await send(shop, HELLO | change)
    assert (answer.status, answer.code) == (422, "invalid")
    assert [e["pointer"] for e in answer.json["errors"]] == [pointer]
    assert await log.nothing()


async def test_a_batch_lies_where_single_requests_would(
    shop: Client, log: Log, settings: Settings
) -> None:
    await log.since(REQUESTS)
    users = ("ada", "bea", "cleo") * 30
    answer = await send(shop, {"requests": [HELLO | {"user_id": u} for u in users]}, batch=True)
    assert (answer.status, answer.json["accepted"]) == (202, 90)
    partitions = {partition_for(u, settings.partitions) for u in users}
    records = await log.read(len(partitions))
    assert len(records) == len(partitions)
    by_id = {r.notification_id: r.user_id for r in requests(records)}
    assert [by_id[i] for i in answer.json["notification_ids"]] == list(users)
    for _, value in records:
        lot = [r for r in split_requests(value or b"") if isinstance(r, NotificationRequest)]
        assert len({partition_for(r.user_id, settings.partitions) for r in lot}) == 1


@pytest.mark.parametrize(
    ("priority", "topic"),
    [("critical", REQUESTS_HIGH), ("high", REQUESTS_HIGH), ("normal", REQUESTS),
     ("low", REQUESTS_LOW)],
)  # fmt: skip
async def test_each_priority_goes_its_own_lane(
    shop: Client, log: Log, priority: str, topic: Topic
) -> None:
    await log.since(topic)
    body = HELLO | {"priority": priority, "strategy": "first"}
    await send(shop, body)
    mixed = [HELLO | {"priority": each} for each in ("critical", "high", "normal", "low")]
    await send(shop, mixed, batch=True)
    single, *many = requests(await log.read(2))
    assert (single.priority, single.strategy) == (priority, "first")
    lane = {lane_of(request.priority) for request in many}
    assert lane == {lane_of(single.priority)}
    assert len(many) == (2 if topic is REQUESTS_HIGH else 1)


async def test_a_bad_request_spoils_only_itself(shop: Client, log: Log) -> None:
    await log.since(REQUESTS)
    nameless = HELLO | {"data": {"order": None}}
    batch = [HELLO, HELLO | {"user_id": "nobody"}, {"user_id": "ada"}, 7, HELLO, nameless]
    answer = await send(shop, batch, batch=True)
    assert answer.status == 202
    assert (answer.json["accepted"], answer.json["rejected"]) == (2, 4)
    refused = [i is None for i in answer.json["notification_ids"]]
    assert refused == [False, True, True, True, False, True]
    assert [e["pointer"] for e in answer.json["errors"]] == [
        "#/requests/1/user_id", "#/requests/2/type", "#/requests/3", "#/requests/5/data/order",
    ]  # fmt: skip
    assert len(requests(await log.read(1))) == 2


async def test_a_batch_without_any_good_request_is_refused(shop: Client, log: Log) -> None:
    await log.since(REQUESTS)
    answer = await send(shop, [HELLO | {"user_id": "nobody"}] * 2, batch=True)
    assert (answer.status, len(answer.json["errors"])) == (422, 2)
    assert await log.nothing()


@pytest.mark.parametrize("body", [[], {"requests": []}, {"lots": []}, "x", [HELLO] * 1001])
async def test_a_batch_that_is_none_is_refused(shop: Client, body: object) -> None:
    answer = await send(shop, body, batch=True)
    assert (answer.status, answer.code) == (422, "invalid")


async def test_large_requests_of_one_person_are_cut_into_records_that_consumers_take(
    shop: Client, log: Log
) -> None:
    await log.since(REQUESTS)
    text = "x" * 300_000
    lot = [HELLO | {"data": {"order": "7", "text": text}}] * 3
    assert (await send(shop, lot, batch=True)).json["accepted"] == 3
    records = await log.read(1)
    assert all(len(value or b"") <= MAX_RECORD_BYTES for _, value in records)
    assert len(requests(records)) == 3


async def test_a_request_that_no_record_can_hold_is_refused_not_lost(shop: Client) -> None:
    room = MAX_RECORD_BYTES - 120
    answer = await send(shop, HELLO | {"data": {"order": "7", "text": "x" * room}})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "#/data")


async def test_the_same_key_and_body_get_the_same_answer_and_one_record(
    shop: Client, log: Log
) -> None:
    await log.since(REQUESTS)
    first = await send(shop, HELLO, "k1")
    again = await send(shop, HELLO, "k1")
    assert (first.status, first.json) == (again.status, again.json)
    assert len(await log.read(1)) == 1
    assert await log.nothing()


async def test_the_same_key_and_another_body_is_refused(
    shop: Client, token: Callable[..., str]
) -> None:
    first = await send(shop, HELLO, "k1")
    other = await send(shop, HELLO | {"data": {"order": "8"}}, "k1")
    assert (other.status, other.code) == (422, "idempotency_mismatch")
    another_caller = shop.with_token(token("shop2", "notifications:write"))
    assert (await send(another_caller, HELLO, "k1")).json != first.json
    assert (await send(shop, HELLO, "k2")).json != first.json


async def test_the_same_key_at_once_means_the_same_notification(shop: Client, log: Log) -> None:
    await log.since(REQUESTS)
    answers = await asyncio.gather(*(send(shop, HELLO, "k1") for _ in range(10)))
    assert {a.status for a in answers} == {202}
    assert len({a.json["notification_id"] for a in answers}) == 1
    ids = {r.notification_id for r in requests(await log.read(1))}
    assert ids == {answers[0].json["notification_id"]}


async def test_a_first_attempt_that_kafka_did_not_take_is_made_good_by_the_second(
    shop: Client, services: Services, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.since(REQUESTS)
    with monkeypatch.context() as patched:
        patched.setattr(services.producer, "send", AsyncMock(side_effect=KafkaTimeoutError))
        failed = await send(shop, HELLO, "k1")
    assert (failed.status, failed.code) == (503, "unavailable")
    assert failed.headers["retry-after"] == "1"
    answer = await send(shop, HELLO, "k1")
    assert answer.status == 202
    (request,) = requests(await log.read(1))
    assert request.notification_id == answer.json["notification_id"]


async def test_a_refused_request_may_be_corrected_under_its_key(shop: Client) -> None:
    assert (await send(shop, HELLO | {"user_id": "dora"}, "k1")).status == 422
    await shop("POST", "/v1/users", {"user_id": "dora"})
    assert (await send(shop, HELLO | {"user_id": "dora"}, "k1")).status == 202


async def test_a_batch_repeated_under_its_key_is_answered_the_same(shop: Client, log: Log) -> None:
    await log.since(REQUESTS)
    batch = [HELLO, HELLO | {"user_id": "late"}, HELLO | {"notification_id": "mine"}]
    first = await send(shop, batch, "k1", batch=True)
    await shop("POST", "/v1/users", {"user_id": "late"})
    again = await send(shop, batch, "k1", batch=True)
    assert (first.status, first.json) == (again.status, again.json)
    assert first.json["rejected"] == 1
    assert len(requests(await log.read(1))) == 2
    assert await log.nothing()


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_that_is_none_is_refused(shop: Client, key: str) -> None:
    answer = await shop("POST", "/v1/notifications", HELLO, idempotency_key=key)
    assert answer.status == 422


async def test_while_clickhouse_is_away_the_senders_are_asked(
    shop: Client, services: Services, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = AsyncMock(side_effect=EngineUnavailable("ClickHouse", "here", "wait"))
    monkeypatch.setattr("api.figures.connect", away)
    unknown = await shop("GET", "/v1/notifications/n1")
    assert (unknown.status, unknown.code) == (503, "unavailable")
    claims = Claims(services.redis, "sender:1")
    push, sms = deliveries_of("n1")[1:3]
    await claims.take([(push, 1), (sms, 1)])
    await claims.settle([(SendResult(push, State.DELIVERED, provider="apns"), 1)])
    known = (await shop("GET", "/v1/notifications/n1")).json
    assert known["complete"] is False
    assert known["channels"]["push"]["state"] == "delivered"
    assert known["channels"]["sms"]["state"] == "sending"


async def test_figures_answer_503_while_clickhouse_is_away(
    shop: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = AsyncMock(side_effect=EngineUnavailable("ClickHouse", "here", "wait"))
    monkeypatch.setattr("api.figures.connect", away)
    answer = await shop("GET", "/v1/stats/totals")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert (await send(shop, HELLO)).status == 202
