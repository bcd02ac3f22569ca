"""The router's memory on a real store: what is a duplicate and what is a second reading."""

import pytest
from redis.asyncio import Redis

from tocsin.records import NotificationRequest
from tocsin.store import Notifications, Seen

pytestmark = pytest.mark.integration


def _request(notification_id: str, key: str | None = None) -> NotificationRequest:
    return NotificationRequest(
        notification_id=notification_id, user_id="u", type="T", dedupe_key=key
    )


async def test_the_same_place_read_again_is_not_a_duplicate(redis: Redis) -> None:
    notifications = Notifications(redis, hours=24)
    for _ in range(2):
        assert await notifications.seen([_request("n")], ["t:0:5:0"]) == [Seen.FIRST]


async def test_the_same_id_from_another_place_was_seen_before(redis: Redis) -> None:
    notifications = Notifications(redis, hours=24)
    found = await notifications.seen([_request("n"), _request("n")], ["t:0:5:0", "t:0:5:1"])
    assert found == [Seen.FIRST, Seen.AGAIN]


async def test_another_notification_with_the_same_dedupe_key_is_a_duplicate(redis: Redis) -> None:
    notifications = Notifications(redis, hours=24)
    requests = [_request("a", "k"), _request("b"), _request("c", "k"), _request("d", "other")]
    places = [f"t:0:{n}:0" for n in range(4)]
    for _ in range(2):
        assert await notifications.seen(requests, places) == [
            Seen.FIRST,
            Seen.FIRST,
            Seen.DUPLICATE,
            Seen.FIRST,
        ]
