"""A shard with a real store and real sockets: conversations."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from websockets.exceptions import InvalidStatus

from actors.sockets import reception
from tests.integration.shard_clients import Shop, delivery
from tocsin import tokens
from tocsin.records import Profile
from tocsin.settings import Settings
from tocsin.store.inbox import Inbox

pytestmark = pytest.mark.integration


@pytest.fixture
async def shop(store_settings: Settings, redis: Redis) -> AsyncIterator[Shop]:
    shop = Shop(store_settings, redis)
    await shop.people(Profile("u1"), Profile("u2"))
    yield shop
    await shop.close()


def token(shop: Shop, subject: str, kind: tokens.Kind, *scopes: str, seconds: float = 60) -> str:
    return tokens.mint(
        shop.settings, subject=subject, kind=kind, scopes=frozenset(scopes), seconds=seconds
    )


async def test_a_ticket_opens_and_what_is_delivered_arrives(shop: Shop) -> None:
    async with shop.client() as (client, ready):
        assert (ready["offset"], ready["unread"]) == (0, 0)
        await shop.deliver(delivery(1))
        heard = await client.hear()
        assert (heard["offset"], heard["unread"], heard["notification_id"]) == (1, 1, "n1")
        assert (heard["title"], heard["body"]) == ("n1", "b1")
        await client.say(op="ack", offset=1)
        await client.quiet()


async def test_a_ticket_admits_once(shop: Shop) -> None:
    ticket = await shop.tickets.issue("user:u1")
    async with shop.open() as first, shop.open() as second:
        await first.say(op="hello", ticket=ticket)
        assert (await first.hear())["op"] == "ready"
        await second.say(op="hello", ticket=ticket)
        refused = await second.hear()
        assert (refused["op"], refused["field"]) == ("error", "ticket")
        assert await second.close_code() == 4401
        await first.quiet()


async def test_a_users_token_opens_too(shop: Shop) -> None:
    async with shop.open() as client:
        await client.say(op="hello", token=token(shop, "u1", "user"))
        assert (await client.hear())["op"] == "ready"
        await shop.deliver(delivery(1), delivery(2, "u2"))
        assert await client.notifications(1) == [1]
        await client.quiet()


@pytest.mark.parametrize(("seconds", "code"), [(-60, 4401), (0.3, 4401)])
async def test_a_socket_lasts_no_longer_than_its_token(
    shop: Shop, seconds: float, code: int
) -> None:
    async with shop.open() as client:
        await client.say(op="hello", token=token(shop, "u1", "user", seconds=seconds))
        assert await client.close_code() == code


async def test_a_forged_token_and_a_service_without_scope_are_told_apart(shop: Shop) -> None:
    for value, code in [("a.b.c", 4401), (token(shop, "shop", "service", "otp"), 4403)]:
        async with shop.open() as client:
            await client.say(op="hello", token=value)
            assert (await client.hear())["field"] == "token"
            assert await client.close_code() == code


async def test_the_operators_hear_broadcasts_and_have_no_inbox(shop: Shop) -> None:
    shard = await shop.shard()
    ticket = await shop.tickets.issue("audience:ops")
    reader = token(shop, "console", "service", "stats:read")
    async with shop.open() as one, shop.open() as two, shop.client() as (person, _):
        await one.say(op="hello", ticket=ticket)
        await two.say(op="hello", token=reader)
        for client in (one, two):
            assert await client.hear() == {"op": "ready", "epoch": "", "offset": 0, "unread": 0}
        assert await shard.broadcast("ops", b'{"op":"live"}') == 2
        for client in (one, two):
            assert await client.hear() == {"op": "live"}
        await one.say(op="ack", offset=0)
        assert (await one.hear())["field"] == "op"
        await person.quiet()
    assert await shard.broadcast("nobody", b"{}") == 0


async def test_watchers_of_a_sku_hear_of_it_until_they_watch_another(shop: Shop) -> None:
    shard = await shop.shard()
    async with shop.client() as (client, _):
        await client.say(op="watch", skus=["A", "B"])
        await client.quiet()
        assert await shard.broadcast("stock:A", b'{"op":"stock"}') == 1
        assert await client.hear() == {"op": "stock"}
        await client.say(op="watch", skus=["B"])
        await client.quiet()
        assert await shard.broadcast("stock:A", b"{}") == 0
        assert await shard.broadcast("stock:B", b'{"op":"stock"}') == 1
    await shard.drain(0)
    assert await shard.broadcast("stock:B", b"{}") == 0


async def test_a_foreign_page_is_refused_and_the_shops_own_is_not(shop: Shop) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with shop.open(origin="https://evil.example"):
            pass
    assert caught.value.response.status_code == 403
    async with shop.client(origin=shop.settings.public_url) as (client, _):
        await client.quiet()


async def test_a_load_balancer_can_ask(shop: Shop) -> None:
    port = await (await shop.shard()).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ('{"op":"watch","skus":["' + "x" * 70_000 + '"]}', 1009),
        (b"\x01\x02", 1003),
        ("no json", 4400),
        ('{"op":"hello","ticket":"again"}', 4400),
    ],
)
async def test_what_breaks_the_rules_ends_that_socket_only(
    shop: Shop, bad: str | bytes, code: int
) -> None:
    async with shop.client() as (wrong, _), shop.client() as (right, _):
        await wrong.ws.send(bad)
        assert await wrong.close_code() == code
        await shop.deliver(delivery(1))
        assert await right.notifications(1) == [1]


async def test_text_that_is_not_utf8_ends_that_socket(shop: Shop) -> None:
    async with shop.client() as (client, _):
        await client.ws.send(b"\xff\xfe", text=True)
        assert await client.close_code() == 1007


async def test_a_wrong_frame_gets_its_reason_and_the_socket_lives(shop: Shop) -> None:
    async with shop.client() as (client, _):
        for frame, field in [
            ({"op": "ack", "offset": "7"}, "offset"),
            ({"op": "ack", "offset": 7}, "offset"),
            ({"op": "read", "ids": ["a"], "extra": 1}, "extra"),
            ({"op": "dance"}, "op"),
        ]:
            await client.ws.send(json.dumps(frame))
            heard = await client.hear()
            assert (heard["op"], heard["field"]) == ("error", field)
            assert heard["reason"]
        await client.quiet()


async def test_a_flood_is_ended_with_its_reason(shop: Shop) -> None:
    async with shop.client() as (client, _):
        for _ in range(60):
            await client.say(op="ping")
        assert await client.close_code() == 4429


async def test_whoever_says_nothing_is_sent_away(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "HELLO_SECONDS", 0.05)
    async with shop.open() as client:
        assert await client.close_code() == 4408


async def test_the_first_frame_must_be_hello(shop: Shop) -> None:
    async with shop.open() as client:
        await client.say(op="ping")
        assert (await client.hear())["field"] == "op"
        assert await client.close_code() == 4400


async def test_resume_brings_what_was_missed(shop: Shop) -> None:
    async with shop.client() as (client, ready):
        await shop.deliver(delivery(1))
        assert await client.notifications(1) == [1]
    await shop.deliver(delivery(2), delivery(3))
    resume = {"epoch": ready["epoch"], "offset": 1}
    async with shop.client(resume=resume) as (client, ready):
        assert (ready["recovered"], ready["offset"], ready["unread"]) == (True, 3, 3)
        assert await client.notifications(2) == [2, 3]
        await shop.deliver(delivery(4))
        assert await client.notifications(1) == [4]


async def test_a_gap_too_long_to_fill_is_said(shop: Shop) -> None:
    async with shop.client() as (_, ready):
        pass
    await shop.deliver(*(delivery(n) for n in range(1, 206)))
    resume = {"epoch": ready["epoch"], "offset": 0}
    async with shop.client(resume=resume) as (client, ready):
        assert (ready["recovered"], ready["offset"], ready["unread"]) == (False, 205, 200)
        await client.quiet()
    async with shop.client(resume={"epoch": "another", "offset": 0}) as (client, ready):
        assert ready["recovered"] is False
        await client.quiet()


async def test_what_one_device_reads_all_hear(shop: Shop, redis: Redis) -> None:
    await shop.shard("b")
    async with shop.client() as (one, _), shop.client(shard="b") as (two, _):
        await shop.deliver(delivery(1), delivery(2), delivery(3))
        for client in (one, two):
            assert await client.notifications(3) == [1, 2, 3]
        await one.say(op="read", ids=["n2", "n9"])
        for client in (one, two):
            assert await client.hear() == {"op": "read", "ids": ["n2"], "unread": 2}
        await Inbox(redis).mark_read("u1", None)
        for client in (one, two):
            assert await client.hear() == {"op": "read", "ids": ["n1", "n3"], "unread": 0}


async def test_what_one_device_deletes_or_has_unread_again_all_hear(shop: Shop) -> None:
    await shop.shard("b")
    async with shop.client() as (one, _), shop.client(shard="b") as (two, _):
        await shop.deliver(delivery(1), delivery(2), delivery(3))
        for client in (one, two):
            assert await client.notifications(3) == [1, 2, 3]
        await one.say(op="delete", ids=["n2", "n9", "n2"])
        await two.say(op="read", ids=["n1"])
        await two.say(op="unread", ids=["n1", "n2", "n3"])
        for client in (one, two):
            heard = [await client.hear() for _ in range(3)]
            # two sockets speak at once, each in its own order
            assert [f["ids"] for f in heard if f["op"] == "deleted"] == [["n2"]]
            rest = [(f["op"], f["ids"]) for f in heard if f["op"] != "deleted"]
            assert rest == [("read", ["n1"]), ("unread", ["n1"])]
            assert heard[-1]["unread"] == 2
        await one.say(op="unread", ids=["n3"])
        await two.say(op="delete", ids=["n2"])
        for client in (one, two):
            await client.quiet()
