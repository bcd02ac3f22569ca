"""The feed on a broker of its own, which goes away and comes back."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from tests.integration.conftest import free_port, wait_until
from tests.unit.tocsin.templates.makers import template
from tocsin.engines import broker as tansu
from tocsin.errors import EngineUnavailable
from tocsin.kafka import ensure_topics, partition_for, start_producer
from tocsin.records import Template, encode
from tocsin.settings import Settings
from tocsin.templates import Catalogue
from tocsin.templates.feed import Feed
from tocsin.topics import TEMPLATES

pytestmark = pytest.mark.integration


class Broker:
    """An embedded broker that can be stopped, and killed."""

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            tansu.command(self.port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: tansu.answers(self.port))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = Broker()
    yield made
    made.kill()


@pytest.fixture
async def of_it(broker: Broker, tmp_path: Path) -> Settings:
    made = Settings(kafka_url=f"kafka://127.0.0.1:{broker.port}", data_dir=tmp_path)
    await ensure_topics(made)
    return made


@pytest.fixture
async def producer(of_it: Settings) -> AsyncIterator[AIOKafkaProducer]:
    made = await start_producer(of_it)
    yield made
    await made.stop()


async def write(producer: AIOKafkaProducer, *templates: Template) -> None:
    for each in templates:
        key = each.template_id.encode()
        await producer.send_and_wait(TEMPLATES.name, encode(each), key=key)


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


async def test_all_there_is_is_known_at_the_start_and_bad_records_harm_nothing(
    of_it: Settings, producer: AIOKafkaProducer
) -> None:
    several = [template(f"T{i}", 1) for i in range(50)]
    futures = [
        await producer.send(TEMPLATES.name, encode(t), key=t.template_id.encode()) for t in several
    ]
    futures.append(await producer.send(TEMPLATES.name, b"{", key=b"BAD"))
    futures.append(await producer.send(TEMPLATES.name, None, key=b"T7"))
    await asyncio.gather(*futures)
    catalogue = Catalogue()
    feed = Feed(of_it, catalogue)
    await feed.start()
    assert {t.template_id for t in catalogue} == {t.template_id for t in several} - {"T7"}
    await write(producer, template("T0", 1, 2, revision=9), template("T0", 1, revision=8))
    # order holds within a partition only
    places = {f"LAST{i}": partition_for(f"LAST{i}", of_it.partitions) for i in range(50)}
    last = next(n for n, p in places.items() if p == partition_for("T0", of_it.partitions))
    await write(producer, template(last, 1))
    await until(lambda: catalogue.get(last) is not None)
    assert catalogue.published("T0") == 2, "an older revision does not undo a newer one"
    await feed.stop()


async def test_while_the_broker_is_away_the_words_stay_and_afterwards_they_go_on(
    broker: Broker, of_it: Settings, producer: AIOKafkaProducer
) -> None:
    await write(producer, *(template("T", 1, revision=n) for n in range(3)))
    catalogue = Catalogue()
    feed = Feed(of_it, catalogue)
    await feed.start()
    broker.process.send_signal(signal.SIGSTOP)
    sent = asyncio.create_task(write(producer, template("T", 1, 2, revision=5)))
    await asyncio.sleep(1.0)  # an outage lasts; nothing could tell that it has been noticed
    assert catalogue.published("T") == 1
    broker.process.send_signal(signal.SIGCONT)
    await sent
    await until(lambda: catalogue.published("T") == 2)
    broker.kill()
    await asyncio.sleep(0.5)
    assert catalogue.published("T") == 2
    broker.start()
    await ensure_topics(of_it)
    fresh = await start_producer(of_it)
    # its log is empty now, a real one's would not be: as many records again as there were, and one
    await write(fresh, *(template("T", 1, 2, 3, revision=6) for _ in range(5)))
    await until(lambda: catalogue.published("T") == 3)
    await fresh.stop()
    await feed.stop()


async def test_without_a_broker_it_does_not_start(tmp_path: Path) -> None:
    nowhere = Settings(kafka_url=f"kafka://127.0.0.1:{free_port()}", data_dir=tmp_path)
    with pytest.raises(EngineUnavailable, match="Kafka"):
        await Feed(nowhere, Catalogue()).start()
