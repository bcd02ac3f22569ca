"""Templates over HTTP: made, published, rolled back, shown; and what that does to requests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from api.app import create_app
from api.services import Services
from tests.integration.api.conftest import Log
from tests.unit.api.asgi import Answer, Client
from tocsin.records import NotificationRequest, Template, decode, split_requests
from tocsin.settings import Settings
from tocsin.store import Templates, keys
from tocsin.templates.feed import Feed
from tocsin.topics import OTP, REQUESTS, TEMPLATES

pytestmark = [pytest.mark.integration, pytest.mark.any_broker]


def greeting(words: str = "Hello {{ who }}", template_id: str = "GREETING", **more: Any) -> Any:
    return {
        "template_id": template_id,
        "variables": {"who": {"type": "string", "aliases": ["person"]}},
        "locales": {"en": {"sms": {"body": words}, "push": {"title": "Hi", "body": words}}},
        "sample": {"who": "Anna"},
    } | more


async def made(shop: Client, *words: str, template_id: str = "GREETING") -> Answer:
    for each in words:
        answer = await shop("POST", "/v1/templates", greeting(each, template_id))
        assert answer.status == 201, answer.json
    return answer


async def publish(shop: Client, number: int, template_id: str = "GREETING") -> Answer:
    return await shop("POST", f"/v1/templates/{template_id}:publish", {"version": number})


async def greet(shop: Client, **more: Any) -> Answer:
    body = {"user_id": "ada", "type": "GREETING", "data": {"who": "Ada"}} | more
    return await shop("POST", "/v1/notifications", body)


@pytest.fixture(autouse=True)
async def _person(shop: Client) -> None:
    await shop("POST", "/v1/users", {"user_id": "ada", "phone": "+447700900123", "locale": "de"})


@pytest.fixture
async def elsewhere(
    settings: Settings, redis: Redis, services: Services
) -> AsyncIterator[Services]:
    """Another process: it knows by the log alone what the first one does."""
    other = Services.over(settings, redis, services.producer)
    feed = Feed(settings, other.catalogue)
    await feed.start()
    yield other
    await feed.stop()


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


async def pinned(log: Log) -> tuple[str | None, int | None]:
    ((_, value),) = await log.read(1)
    (request,) = split_requests(value or b"")
    assert isinstance(request, NotificationRequest)
    return request.template_id, request.template_version


async def test_a_template_is_made_and_used_once_it_is_published(shop: Client, log: Log) -> None:
    answer = await shop("POST", "/v1/templates", greeting())
    assert answer.status == 201
    assert answer.headers["location"] == "/v1/templates/GREETING/versions/1"
    assert answer.json == {
        "template_id": "GREETING", "version": 1, "published": 0, "dropped": [],
    }  # fmt: skip
    assert (await greet(shop)).json["errors"][0]["pointer"] == "#/data/body", "DEFAULT's, still"
    published = await publish(shop, 1)
    assert (published.status, published.json["published"]) == (200, 1)
    await log.since(REQUESTS)
    assert (await greet(shop)).status == 202
    assert await pinned(log) == ("GREETING", 1)


async def test_what_is_accepted_is_pinned_and_a_roll_back_counts_from_then_on(
    shop: Client, log: Log
) -> None:
    await made(shop, "one {{ who }}", "two {{ who }}")
    for number in (2, 1):
        await publish(shop, number)
        await log.since(REQUESTS)
        assert (await greet(shop)).status == 202
        assert await pinned(log) == ("GREETING", number)
    await log.since(REQUESTS)
    assert (await greet(shop, template_version=2, template_id="GREETING")).status == 202
    assert await pinned(log) == ("GREETING", 2)
    await log.since(REQUESTS)
    assert (await greet(shop, type="OTHER", data={"text": "x"})).status == 202
    assert await pinned(log) == ("DEFAULT", 0)


async def test_bundled_words_are_shown_replaced_and_put_back(shop: Client) -> None:
    shown = (await shop("GET", "/v1/templates/REVIEW")).json
    assert (shown["published"], shown["bundled"], [v["number"] for v in shown["versions"]]) == (
        0, True, [0],
    )  # fmt: skip
    await made(shop, "Own {{ who }}", template_id="REVIEW")
    await publish(shop, 1, "REVIEW")
    refused = await greet(shop, type="REVIEW", data={})
    assert refused.json["errors"][0]["pointer"] == "#/data/who"
    back = await publish(shop, 0, "REVIEW")
    assert [v["number"] for v in back.json["versions"]] == [1, 0]
    assert (await greet(shop, type="REVIEW", data={})).status == 202
    assert (await publish(shop, 0, "NEWSLETTER")).status == 200, "it is so already"
    wrong = await publish(shop, 1, "NEWSLETTER")
    assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "#/version")


async def test_they_are_listed_and_each_version_can_be_read(shop: Client) -> None:
    await made(shop, "a {{ who }}", "b {{ who }}")
    listed = {t["template_id"]: t for t in (await shop("GET", "/v1/templates")).json["templates"]}
    assert {"GREETING", "DEFAULT", "OTP"} <= set(listed)
    assert [v["number"] for v in listed["GREETING"]["versions"]] == [2, 1]
    assert listed["GREETING"]["bundled"] is False
    version = (await shop("GET", "/v1/templates/GREETING/versions/1")).json
    assert version["locales"]["en"]["sms"] == {"body": "a {{ who }}"}
    assert version["variables"] == {"who": {"aliases": ["person"]}}
    bundled = (await shop("GET", "/v1/templates/OTP/versions/0")).json
    assert "{{ code }}" in bundled["locales"]["en"]["sms"]["body"]
    for path in ("NOTHING", "GREETING/versions/3", "GREETING/versions/0", "OTP/versions/1"):
        assert (await shop("GET", f"/v1/templates/{path}")).code == "not_found"
    assert (await shop("GET", "/v1/templates/GREETING/versions/x")).status == 422


async def test_the_same_version_again_is_no_new_one(shop: Client) -> None:
    await made(shop, "a {{ who }}")
    again = await shop("POST", "/v1/templates", greeting("a {{ who }}"))
    assert (again.status, again.json["version"]) == (200, 1)


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"locales": {"de": {"email": {"subject": "s", "text": "t", "html": "\n\n{% if %}"}}},
          "default_locale": "de"}, "#/locales/de/email/html", "line 3: "),
        ({"locales": {"en": {"sms": {"body": "{{ nobody }}"}}}}, "#/locales/en/sms/body",
         "line 1: `nobody` is not among the variables"),
        ({"locales": {"en": {"sms": {"body": "{% for a in range(9) %}{% endfor %}"}}}},
         "#/locales/en/sms/body", "line 1: loops go over data only"),
        ({"locales": {"en": {"sms": {"body": "x" * 70_000}}}}, "#/locales", ""),
        ({"locales": {}}, "#/locales", ""),
        ({"locales": {"en": {"fax": {"body": "x"}}}}, "#/locales", ""),
        ({"variables": {"Bad Name": {}}}, "#/variables", ""),
        ({"variables": {"who": {"type": "date"}}}, "#/variables", ""),
        ({"sample": {"who": []}}, "#/sample/who", "is a list"),
        ({"template_id": "a/b"}, "#/template_id", ""),
        ({"published": 1}, "#/published", ""),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named_by_part_and_line(
    shop: Client, change: dict[str, Any], pointer: str, detail: str
) -> None:
    answer = await shop("POST", "/v1/templates", greeting() | change)
    assert (answer.status, answer.code) == (422, "invalid")
    (error,) = answer.json["errors"]
    assert error["pointer"] == pointer
    assert error["detail"].startswith(detail)
    assert (await shop("GET", "/v1/templates/GREETING")).status == 404


async def test_twenty_versions_are_kept_and_the_answer_says_what_went(shop: Client) -> None:
    await made(shop, *(f"{n} {{{{ who }}}}" for n in range(20)))
    await publish(shop, 1)
    answer = await shop("POST", "/v1/templates", greeting("one more {{ who }}"))
    assert (answer.json["version"], answer.json["dropped"]) == (21, [2])


async def test_at_once_nobody_is_lost(shop: Client, services: Services, log: Log) -> None:
    await log.since(TEMPLATES)
    answers = await asyncio.gather(
        *(shop("POST", "/v1/templates", greeting(f"{n} {{{{ who }}}}")) for n in range(8))
    )
    assert {a.status for a in answers} == {201}
    assert sorted(a.json["version"] for a in answers) == list(range(1, 9))
    # one that was overtaken is followed by the newest, once for each that saw it was behind
    wordings = [decode(Template, value or b"") for _, value in await log.rest(8)]
    assert {wording.revision for wording in wordings} == set(range(1, 9))
    assert wordings[-1].revision == len(wordings[-1].versions) == 8
    assert await Templates(services.redis).get("GREETING") == wordings[-1]


async def test_another_process_follows_within_a_second_and_nobody_is_refused_meanwhile(
    shop: Client, elsewhere: Services, token: Callable[..., str]
) -> None:
    other = Client(create_app(elsewhere), token("shop", "notifications:write", "templates:read"))
    await made(shop, "one {{ who }}", "two {{ who }}", template_id="SHARED")
    assert (await greet(other, template_id="SHARED", template_version=2)).status == 202
    for number in (2, 1, 2):
        await publish(shop, number, "SHARED")
        await until(lambda n=number: elsewhere.catalogue.published("SHARED") == n, 1.0)  # type: ignore[misc]
    assert (await other("GET", "/v1/templates/SHARED")).json["published"] == 2


async def test_a_new_process_knows_all_of_it_before_it_serves(
    shop: Client, settings: Settings, redis: Redis, services: Services
) -> None:
    await made(shop, "one {{ who }}", template_id="LATE")
    await publish(shop, 1, "LATE")
    await redis.flushall()
    await redis.set(keys.STORE_READY, "rebuilt")
    late = Services.over(settings, redis, services.producer)
    feed = Feed(settings, late.catalogue)
    await feed.start()
    await feed.stop()
    assert late.catalogue.published("LATE") == 1
    # and what is changed now goes on from there, though the view was lost
    after = await late.wording.change("LATE", lambda t: t or Template("LATE", ()), late.clock.now())
    assert [v.number for v in after.versions] == [1]
    assert await Templates(redis).get("LATE") == after


async def test_what_was_written_half_is_made_whole_by_asking_again(
    shop: Client, services: Services, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr(services.wording, "_log", fail)
        assert (await shop("POST", "/v1/templates", greeting())).status == 503
    await log.since(TEMPLATES)
    again = await shop("POST", "/v1/templates", greeting())
    assert (again.status, again.json["version"]) == (200, 1)
    ((key, _),) = await log.read(1)
    assert key == b"GREETING"


async def test_a_deleted_template_is_gone_and_its_numbers_are_never_used_again(
    shop: Client,
) -> None:
    await made(shop, "one {{ who }}", "two {{ who }}")
    await publish(shop, 2)
    assert (await shop("DELETE", "/v1/templates/GREETING")).status == 204
    assert (await shop("GET", "/v1/templates/GREETING")).status == 404
    assert (await shop("DELETE", "/v1/templates/GREETING")).status == 404
    assert (await greet(shop)).json["errors"][0]["pointer"] == "#/data/body"
    assert (await greet(shop, template_id="GREETING")).json["errors"][0]["pointer"] == (
        "#/template_id"
    )
    assert (await publish(shop, 2)).status == 404
    listed = (await shop("GET", "/v1/templates")).json["templates"]
    assert "GREETING" not in {t["template_id"] for t in listed}
    again = await made(shop, "three {{ who }}")
    assert again.json["version"] > 2
    assert (await shop("DELETE", "/v1/templates/REVIEW")).status == 404


async def test_a_preview_shows_the_version_in_use_or_the_newest(shop: Client) -> None:
    await made(shop, "one {{ who }}", "two {{ who }}")
    look = "/v1/templates/GREETING:preview"
    assert (await shop("POST", look, {})).json["channels"]["sms"]["text"] == "two Anna"
    await publish(shop, 1)
    shown = (await shop("POST", look, {"data": {"person": "Bea 😀"}})).json
    assert (shown["version"], shown["silent"]) == (1, ["email"])
    sms = shown["channels"]["sms"]
    assert (sms["text"], sms["encoding"], sms["parts"]) == ("one Bea 😀", "UCS-2", 1)
    assert shown["channels"]["push"]["bytes"] < shown["channels"]["push"]["max_bytes"] == 4096
    some = await shop("POST", look, {"version": 2, "locale": "de-AT", "channels": ["sms"]})
    assert list(some.json["channels"]) == ["sms"]
    bundled = (await shop("POST", "/v1/templates/ORDER_CONFIRMATION:preview", {})).json
    assert "£139.12" in bundled["channels"]["email"]["html"]
    wrong = await shop("POST", look, {"data": {}})
    assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "#/data/who")
    assert (await shop("POST", look, {"version": 9})).status == 404


async def test_scopes(shop: Client, token: Callable[..., str]) -> None:
    reader = shop.with_token(token("shop", "templates:read"))
    assert (await reader("GET", "/v1/templates")).status == 200
    assert (await reader("POST", "/v1/templates/REVIEW:preview", {})).status == 200
    for method, path in (
        ("POST", "/v1/templates"),
        ("POST", "/v1/templates/REVIEW:publish"),
        ("DELETE", "/v1/templates/REVIEW"),
    ):
        assert (await reader(method, path, {})).status == 403
    assert (await shop.with_token(token("ada"))("GET", "/v1/templates")).status == 403
    none = shop.with_token(token("shop", "notifications:write"))
    assert (await none("GET", "/v1/templates")).status == 403


async def test_codes_name_the_shops_own_words_and_the_persons_language(
    shop: Client, log: Log
) -> None:
    body = {
        "template_id": "OTP",
        "variables": {"code": {}, "minutes": {"type": "integer"}},
        "locales": {"en": {"sms": {"body": "{{ code }}"}}},
    }
    assert (await shop("POST", "/v1/templates", body)).status == 201
    await publish(shop, 1, "OTP")
    await log.since(OTP)
    assert (await shop("POST", "/v1/otp", {"user_id": "ada"})).status == 202
    ((_, value),) = await log.read(1)
    said = msgspec.json.decode(value or b"")
    assert (said["template_version"], said["locale"]) == (1, "de")


async def test_one_that_cannot_be_read_in_the_store_stops_no_other(
    services: Services, shop: Client
) -> None:
    await made(shop, "one {{ who }}")
    await services.redis.hset(keys.TEMPLATES, "BROKEN", "{")
    store = Templates(services.redis)
    broken, greeting_ = await store.get_many(["BROKEN", "GREETING"])
    assert broken is None
    assert greeting_ is not None
    assert [t.template_id for t in await store.all()] == ["GREETING"]
    assert not await store.put(greeting_), "not twice the same revision"
    assert await store.delete("GREETING")
    assert await store.get("GREETING") is None
    assert await store.put(greeting_)
