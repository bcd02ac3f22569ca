"""Questions to the books, over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from clickhouse_connect.driver import AsyncClient
from redis.asyncio import Redis

from analytics.questions import ask, questions
from api import figures
from api.app import create_app
from api.services import Services
from tests.integration.asking import CREATE_WAVES, UNTIL, Books
from tests.integration.conftest import free_port
from tests.unit.api.asgi import Client
from tocsin.records import State
from tocsin.settings import Settings
from tocsin.tokens import SCOPES

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]

WHEN = UNTIL.replace("+", "%2B")


@pytest.fixture
async def services(
    settings: Settings,
    redis: Redis,
    producer: AIOKafkaProducer,
    clickhouse: AsyncClient,
    clickhouse_url: str,
) -> AsyncIterator[Services]:
    """With books."""
    await clickhouse.command(CREATE_WAVES)
    secret = type(settings.clickhouse_url)
    there = settings.model_copy(update={"clickhouse_url": secret(clickhouse_url)})
    made = Services.over(there, redis, producer)
    yield made
    await made.figures.close()


@pytest.fixture
def books(clickhouse: AsyncClient) -> Books:
    return Books(clickhouse)


async def test_every_question_that_is_listed_has_an_answer(shop: Client, books: Books) -> None:
    books.send("a", provider="apns", destination="ios")
    books.told("a", "MUG", 3)
    await books.write()
    listed = (await shop("GET", "/v1/stats")).json["questions"]
    assert [each["name"] for each in listed] == list(questions())
    for each in listed:
        assert {"name", "type", "default"} <= set(each["parameters"][0])
        answer = await shop("GET", f"/v1/stats/{each['name']}?hours=24&until={WHEN}")
        assert (answer.status, answer.json["name"]) == (200, each["name"]), answer.body
        assert answer.json["about"] == each["about"]
        assert all(len(row) == len(answer.json["columns"]) for row in answer.json["rows"])


async def test_an_answer_has_columns_with_types_and_rows(shop: Client, books: Books) -> None:
    books.send("a", state=State.FAILED, after=0, reason="Unregistered", provider="apns")
    await books.write()
    found = (await shop("GET", f"/v1/stats/failure_reasons?until={WHEN}")).json
    assert found["columns"] == [
        {"name": "channel", "type": "String"}, {"name": "provider", "type": "String"},
        {"name": "reason", "type": "String"}, {"name": "deliveries", "type": "UInt64"},
        {"name": "share", "type": "Float64"}, {"name": "example", "type": "String"},
        {"name": "last_at", "type": "DateTime64(3, 'UTC')"},
    ]  # fmt: skip
    (row,) = found["rows"]
    assert row[:-1] == ["push", "apns", "Unregistered", 1, 1.0, "a"]
    assert row[-1].endswith("T12:00:00Z")
    assert found["truncated"] is False


async def test_an_answer_is_cut_at_a_bound(
    shop: Client, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "MOST_ROWS", 2)
    for name in ("a", "b", "c"):
        books.send(name, provider=name)
    await books.write()
    found = (await shop("GET", f"/v1/stats/deliverability?until={WHEN}")).json
    assert (len(found["rows"]), found["truncated"]) == (2, True)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("hours=soon", "hours"),
        ("hours=1&hours=2", "hours"),
        ("days=1", "days"),
        ("until=never", "until"),
        ("type=%00", "type"),
    ],
)
async def test_a_wrong_parameter_is_named(shop: Client, query: str, named: str) -> None:
    answer = await shop("GET", f"/v1/stats/funnel?{query}")
    assert (answer.status, answer.code) == (422, "invalid")
    assert answer.json["errors"][0]["pointer"] == f"#/{named}"


async def test_what_is_given_is_a_value_and_never_sql(shop: Client, books: Books) -> None:
    books.send("a")
    await books.write()
    for said in ("'", "\\", "' OR 1 = 1 --", "{hours:UInt32}", "\\N", "%25"):
        quoted = said.replace("%", "%25").replace("'", "%27").replace(" ", "%20")
        answer = await shop("GET", f"/v1/stats/funnel?until={WHEN}&type={quoted}")
        assert (answer.status, answer.json["rows"]) == (200, []), said


async def test_an_unknown_question_is_told_the_known_ones(shop: Client) -> None:
    answer = await shop("GET", "/v1/stats/funel")
    assert (answer.status, answer.code) == (404, "not_found")
    assert "there are bots" in answer.json["detail"]


async def test_many_who_ask_the_same_cost_one(
    shop: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = ask

    async def counted(client: AsyncClient, question: Any, *rest: Any) -> Any:
        asked.append(question.name)
        return await real(client, question, *rest)

    monkeypatch.setattr(figures, "ask", counted)
    answers = await asyncio.gather(*(shop("GET", "/v1/stats/bots") for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert asked == ["bots"]


async def test_figures_are_for_who_may_see_them_and_open_beside_the_sandbox(
    shop: Client, services: Services, token: Callable[..., str]
) -> None:
    weak = shop.with_token(token("s", *(SCOPES - {"stats:read"})))
    for path in ("/v1/stats", "/v1/stats/funnel"):
        assert (await weak("GET", path)).status == 403
        assert (await shop.with_token(None)("GET", path)).status == 401
    demo = services.settings.model_copy(update={"sandbox_url": "http://127.0.0.1:8444"})
    stranger = Client(create_app(replace(services, settings=demo)))
    assert (await stranger("GET", "/v1/stats/funnel")).status == 200


async def test_with_clickhouse_away_questions_wait_and_the_list_is_there(
    settings: Settings, redis: Redis, producer: AIOKafkaProducer, token: Callable[..., str]
) -> None:
    secret = type(settings.clickhouse_url)
    url = secret(f"clickhouse://default:@127.0.0.1:{free_port()}/tocsin")
    away = Services.over(settings.model_copy(update={"clickhouse_url": url}), redis, producer)
    shop = Client(create_app(away), token("shop", *SCOPES))
    answer = await shop("GET", "/v1/stats/funnel")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert (await shop("GET", "/v1/stats")).status == 200


async def test_a_question_that_takes_too_long_says_what_to_do(
    shop: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(figures, "ask", slow)
    monkeypatch.setattr(figures, "PATIENCE_SECONDS", 0.05)
    answer = await shop("GET", "/v1/stats/funnel")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert "fewer hours" in answer.json["detail"]
