"""The bare loop makes one provider call per request, and no more than it is told."""

import json
import os
import subprocess
import sys
import urllib.request

import pytest

from tocsin.kafka import partition_for, send_all, start_producer
from tocsin.records import Channel, NotificationRequest, encode
from tocsin.settings import Settings
from tocsin.topics import REQUESTS

pytestmark = pytest.mark.integration
_DATA = {"order": "536365", "total": "17.85", "currency": "GBP"}


def _request(run: str, number: int, channel: Channel) -> NotificationRequest:
    return NotificationRequest(
        notification_id=f"0192f3a0-{run}-7000-8000-{number:012d}",
        user_id=str(5_000_000 + number),
        type="ORDER_CONFIRMATION",
        channels=(channel,),
        data=_DATA,
    )


async def _produce(settings: Settings) -> None:
    channels = [Channel.PUSH] * 10 + [Channel.SMS] + [Channel.EMAIL] * 5
    requests = [_request("0001", n, channel) for n, channel in enumerate(channels * 2)]
    producer = await start_producer(settings)
    for request in requests:
        place = partition_for(request.user_id, settings.partitions)
        await send_all(producer, REQUESTS, [(place, encode({"requests": [request]}))])
    await producer.stop()


def _bare(settings: Settings, env: dict[str, str], *more: str) -> dict[str, object]:
    argv = [sys.executable, "-m", "loadtest.bare", "--seconds", "30", "--workers", "4", *more]
    env = dict(os.environ) | env | {"TOCSIN_KAFKA_URL": settings.kafka_url}
    done = subprocess.run(argv, env=env, capture_output=True, timeout=60, check=True)
    report: dict[str, object] = json.loads(done.stdout)
    return report


async def test_requests_become_provider_calls(
    settings: Settings, sandbox_env: dict[str, str]
) -> None:
    await _produce(settings)
    report = _bare(settings, sandbox_env)
    summary = json.loads(_get(sandbox_env["TOCSIN_SANDBOX_URL"] + "/sandbox/journal/summary"))
    # the session's topic may hold other tests' requests: more than ours, never fewer
    by_channel = report["by_channel"]
    assert isinstance(by_channel, dict)
    assert by_channel["push"] >= 20
    assert by_channel["sms"] >= 2
    assert by_channel["email"] >= 10
    assert report["sent"] == sum(by_channel.values())
    assert summary["accepted"]["smtp"] >= by_channel["email"]
    assert _bare(settings, sandbox_env, "--max", "3")["sent"] == 3


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())
