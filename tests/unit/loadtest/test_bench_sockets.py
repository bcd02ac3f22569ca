"""The bench's clients: they cut frames, keep their place, and come back as they are asked to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.sockets import frames
from actors.sockets import wire as server
from loadtest.bench.sockets import report, wire
from loadtest.bench.sockets.client import LOST, Client, Counts, SentAway, pause
from loadtest.bench.sockets.phases import percentiles
from loadtest.bench.sockets.stage import Frame

TEXTS = st.lists(st.integers(0, 70_000).map(lambda n: b"x" * n), max_size=4)


@given(TEXTS, st.lists(st.integers(1, 90_000), max_size=6))
def test_frames_are_whole_however_they_arrive(texts: list[bytes], cuts: list[int]) -> None:
    sent = b"".join(server.text(text) for text in texts) + server.PING
    reader, got, at = wire.Reader(), list[tuple[int, bytes]](), 0
    for size in [*cuts, len(sent)]:
        got += reader.frames(sent[at : at + size])
        at += size
    assert got == [*((wire.TEXT, text) for text in texts), (wire.PING, b"")]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535])
def test_a_clients_frame_is_masked_with_nothing(size: int) -> None:
    frame = wire.masked(wire.TEXT, b"y" * size)
    assert frame[0] == 0x81
    assert frame[1] & 0x80
    assert frame.endswith(b"\0\0\0\0" + b"y" * size)


def test_an_offset_is_read_without_decoding() -> None:
    item = b'{"notification_id":"n"}'
    assert wire.offset_of(frames.notification(item, 17, 3)) == 17
    assert wire.offset_of(frames.notification(item, 18)) == 18
    assert wire.offset_of(frames.frame(frames.Ready("e", 4, 0))) == 0


def test_the_answer_to_an_upgrade() -> None:
    assert wire.answer(b"HTTP/1.1 101 Switching") is None
    found = wire.answer(b"HTTP/1.1 503 Busy\r\nretry-after: 7\r\n\r\nrest")
    assert found == (wire.Answer(503, 7.0), b"rest")
    assert wire.answer(b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\n\r\n") == (
        wire.Answer(101, None), b""
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "retry_after", "attempt", "least", "most"),
    [
        (1012, None, 0, 0, 2),
        (LOST, None, 0, 0.5, 1),
        (LOST, None, 3, 4, 8),
        (LOST, None, 40, 15, 30),
        (LOST, 5.0, 9, 5, 10),
        (LOST, 0.0, 0, 0, 1),
    ],
)
def test_pauses(
    code: int, retry_after: float | None, attempt: int, least: float, most: float
) -> None:
    assert pause(code, retry_after, attempt, 0.0) == least
    assert pause(code, retry_after, attempt, 0.999_999) == pytest.approx(most, abs=0.001)


class Transport:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        self.written.append(b"aborted")


async def connected() -> tuple[Client, Transport, Any]:
    client, transport = Client(3, Counts()), Transport()
    client.prepare(b"GET", b"HELLO")
    client.connection_made(transport)  # type: ignore[arg-type]
    client.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")

    def hear(payload: bytes) -> None:
        client.data_received(server.text(payload))

    return client, transport, hear


async def test_a_client_counts_what_is_missing_and_what_comes_twice() -> None:
    client, transport, hear = await connected()
    hear(frames.frame(frames.Ready("e", 4, 0)))
    await client.arrived
    assert transport.written == [b"GET", b"HELLO"]
    for offset in (5, 6, 6, 9):
        hear(frames.notification(b'{"a":1}', offset))
    counts = client.counts
    assert (counts.gaps, counts.repeats, counts.told) == (1, 1, 0)
    assert (list(counts.people), list(counts.offsets)) == ([3] * 4, [5, 6, 6, 9])
    hear(frames.frame(frames.Ready("f", 2, 0, recovered=False)))
    assert (counts.gaps, counts.told, client.epoch, client.offset) == (1, 1, "f", 2)
    hear(frames.frame(frames.Ready("f", 3, 0, recovered=True)))
    assert (counts.gaps, client.offset) == (1, 2)


async def test_a_client_answers_pings_and_closes() -> None:
    client, transport, hear = await connected()
    hear(frames.frame(frames.Ready("e", 0, 0)))
    client.data_received(server.PING + b"\x88\x02\x03\xf4")
    assert transport.written[2:] == [wire.masked(wire.PONG, b""), b"\x88\x82\0\0\0\0\x03\xf4"]
    assert await client.gone == 1012
    client.connection_lost(None)
    assert client.counts.closed == {1012: 1}


async def test_a_client_that_is_sent_away_knows_for_how_long() -> None:
    client, transport = Client(3, Counts()), Transport()
    client.prepare(b"GET", b"HELLO")
    client.connection_made(transport)  # type: ignore[arg-type]
    client.data_received(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 4\r\n\r\n")
    with pytest.raises(SentAway) as caught:
        await client.arrived
    assert (caught.value.status, caught.value.retry_after) == (503, 4.0)
    assert client.counts.sent_away == 1


def test_percentiles_are_of_what_was_sent() -> None:
    sent = {(n, 1): 10.0 for n in range(100)}
    read = [Frame(n, 1, 10.0 + n / 1000) for n in range(100)] + [Frame(7, 2, 99.0)]
    assert percentiles(sent, read) == {"ms": {"p50": 50.0, "p99": 99.0, "max": 99.0}}
    assert percentiles({}, []) == {"ms": {}}


def flood(rate: int, missing: int = 0) -> dict[str, Any]:
    us = {"cpu": 8.2, "user": 3.0, "system": 5.2, "store": 0.0}
    return {
        "frames": 10, "missing": missing, "per_second": 9, "per_cpu_second": rate,
        "us_each": us, "ms": {"p50": 1.0, "p99": 2.0},
    }  # fmt: skip


def figures(**storm: Any) -> dict[str, Any]:
    load = {
        "connections": 1_000, "pushed": flood(122_000), "delivered": flood(25_000),
        "steady": flood(1) | {"per_second": 2_000},
    }  # fmt: skip
    idle = {
        "connections": 19_900, "bytes_each": 9_700, "rss_mb": 270.4, "cpu_percent": 2.0,
        "per_second": 800, "per_cpu_second": 1_600,
    }  # fmt: skip
    whole = {
        "connections": 10_000, "accepts_per_second": 500.0, "back": 10_000, "seconds": 31.5,
        "sent_away": 20, "gaps": 0, "repeats": 0, "told": 0, "behind": 0,
        "delivered_meanwhile": 900,
    }  # fmt: skip
    return {"idle": idle, "loads": [load], "storm": whole | storm if storm else None}


def test_the_bars_are_met_or_missed() -> None:
    assert set(report.bars(figures()).values()) == {True}
    assert set(report.bars(figures(told=3)).values()) == {True}
    for wrong in ({"gaps": 1}, {"repeats": 1}, {"behind": 1}, {"back": 9_999}, {"seconds": 61}):
        assert list(report.bars(figures(**wrong)).values()).count(False) == 1
    heavy = figures()
    heavy["idle"]["bytes_each"] = 16_385
    heavy["loads"][0]["pushed"] = flood(40_000, missing=1)
    assert list(report.bars(heavy).values()) == [False, False]


def test_the_figures_are_lines_of_the_table() -> None:
    lines = dict(report.rows(figures(told=0)))
    assert lines["19,900 idle"] == "9,700 bytes each (shard: 270 MB), 2.0 % of a core"
    assert lines["pushed to 1,000"].startswith("122,000 per CPU second (8.2 µs each: 3.0 user,")
    assert "10,000 in 31.5 s" in lines["10,000 come back (500 a second may)"]
    found = figures()
    assert report.table(found | {"bars": report.bars(found)}).row_count == 5 + 2
