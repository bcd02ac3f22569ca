"""A process's metrics over HTTP, and the lag that is measured for whoever reads them."""

import asyncio
import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import REGISTRY, generate_latest

from tests.integration.conftest import free_port
from tocsin.groups import STREAMS
from tocsin.kafka import start_producer
from tocsin.observability import lag
from tocsin.observability.exporter import Exporter
from tocsin.observability.lag import keep_lag
from tocsin.observability.targets import known
from tocsin.settings import Settings
from tocsin.topics import INVENTORY

pytestmark = pytest.mark.integration


@contextmanager
def exporter(settings: Settings, name: str = "test") -> Iterator[Exporter]:
    made = Exporter(settings, name)
    made.start()
    try:
        yield made
    finally:
        made.close()


def scraped(settings: Settings, number: int = 0) -> str:
    address = known(settings.data_dir)[number].address
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


def test_a_process_says_where_its_metrics_are_until_it_ends(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with exporter(settings) as made:
        made.start()
        assert [target.process for target in known(tmp_path)] == ["test"]
        text = scraped(settings)
        assert "process_resident_memory_bytes" in text
        assert "# TYPE tocsin_delivery_seconds histogram" in text
    assert known(tmp_path) == []


def test_processes_of_a_host_take_one_port_after_another(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, metrics_port=free_port())
    with exporter(settings, "a"), exporter(settings, "b"):
        ports = [int(target.address.rpartition(":")[2]) for target in known(tmp_path)]
        assert settings.metrics_port <= ports[0] < ports[1]
        assert scraped(settings, 1)


def test_no_port_is_a_warning_and_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(data_dir=tmp_path, host="192.0.2.1")
    with caplog.at_level(logging.WARNING), exporter(settings):
        assert known(tmp_path) == []
    assert "no metrics" in caplog.text


def test_no_directory_is_a_warning_and_the_metrics_are_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run").write_text("")
    with caplog.at_level(logging.WARNING), exporter(Settings(data_dir=tmp_path)):
        assert "Prometheus is not told of the metrics at 127.0.0.1:" in caplog.text


def of_inventory() -> float | None:
    return REGISTRY.get_sample_value(
        "tocsin_lag_records", {"group": STREAMS, "topic": INVENTORY.name}
    )


async def until(wanted: float | None) -> None:
    async with asyncio.timeout(60):
        while of_inventory() != wanted:
            await asyncio.sleep(0.02)


async def test_the_lag_is_measured_for_who_reads_and_is_gone_when_it_is_not_known(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "EVERY", 0.1)
    monkeypatch.setattr(lag, "_LOOK", 0.01)
    producer: AIOKafkaProducer = await start_producer(settings)
    await producer.send_and_wait(INVENTORY.name, b"{}", partition=0)
    await producer.stop()
    keeping = asyncio.create_task(keep_lag(settings))
    try:
        await asyncio.sleep(0.1)
        assert of_inventory() is None, "nobody has asked"
        generate_latest(REGISTRY)
        await until(1)
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
    assert of_inventory() is None


async def test_without_kafka_there_is_one_warning_and_no_lag(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "EVERY", 0.01)
    monkeypatch.setattr(lag, "_LOOK", 0.01)
    away = Settings(kafka_url=f"kafka://127.0.0.1:{free_port()}")
    with caplog.at_level(logging.WARNING, logger="tocsin.observability.lag"):
        keeping = asyncio.create_task(keep_lag(away))
        async with asyncio.timeout(60):
            while "cannot see the lag" not in caplog.text:
                await asyncio.sleep(0)  # it registers first
                generate_latest(REGISTRY)
                await asyncio.sleep(0.02)
        keeping.cancel()
        await asyncio.wait({keeping})
    assert of_inventory() is None
