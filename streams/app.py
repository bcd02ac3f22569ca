"""The Faust application of a worker process, with the settings that were measured to be safe."""

from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver

from tocsin.settings import Settings
from tocsin.topics import MAX_RECORD_BYTES

FETCH_WAIT_MS = 20
"""How long a broker may hold a fetch that finds nothing. Faust has 1,500 ms fixed in its code, and
the embedded broker holds for half of it even when a record comes meanwhile."""

BULK_FETCH_WAIT_MS = 100
"""For the bulk worker: a fetch every 20 ms costs the embedded broker and us more than it brings."""


def _transport(fetch_wait_ms: int) -> type[driver.Transport]:
    class ConsumerThread(driver.AIOKafkaConsumerThread):
        def _create_worker_consumer(self, transport: Any) -> Any:
            consumer = super()._create_worker_consumer(transport)
            consumer._fetch_max_wait_ms = fetch_wait_ms
            return consumer

    class Consumer(driver.Consumer):
        def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
            return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    class Transport(driver.Transport):
        pass

    # not in the body: there the name on the right would be looked up in the class itself
    Transport.Consumer = Consumer
    return Transport


def make_app(settings: Settings, group: str, fetch_wait_ms: int = FETCH_WAIT_MS) -> faust.App:
    """An app in consumer group `group`; agents are added by `streams.consume.Consume.attach`.

    Topics carry bytes: records are decoded by tocsin.records, where a bad one is an `Invalid` and
    not a crashed agent. Faust's own producer is not used: hops are batches of ours.
    """
    app = faust.App(
        group,
        broker=settings.kafka_url.replace(",", ";"),
        autodiscover=False,
        web_enabled=False,
        store="memory://",
        datadir=settings.data_dir / "faust",
        topic_disable_leader=True,
        topic_allow_declare=False,
        topic_partitions=settings.partitions,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=6 * MAX_RECORD_BYTES,
        stream_wait_empty=False,
        stream_buffer_maxsize=256,
        broker_commit_interval=1.0,
        broker_commit_every=10_000,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.5,
        producer_acks=-1,
    )
    app.transport = _transport(fetch_wait_ms)(app.conf.broker_consumer, app)
    return app


def raw_topic(app: faust.App, name: str) -> Any:
    """A topic whose keys and values are bytes."""
    return app.topic(
        name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )
