"""The lag as metrics."""

from aiokafka import TopicPartition
from prometheus_client import REGISTRY

from tocsin.groups import READS, STREAMS
from tocsin.lag import Positions
from tocsin.metrics import DONE, LAG
from tocsin.observability.lag import show
from tocsin.topics import INVENTORY


def value(name: str, topic: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"group": STREAMS, "topic": topic})


def test_a_measurement_is_shown_per_group_and_topic() -> None:
    places = [TopicPartition(t.name, p) for ts in READS.values() for t in ts for p in (0, 1)]
    ours = [place for place in places if place.topic == INVENTORY.name]
    ends = dict.fromkeys(places, 0) | dict.fromkeys(ours, 100)
    committed: dict[str, dict[TopicPartition, int]] = {group: {} for group in READS}
    committed[STREAMS] = {ours[0]: 90, ours[1]: 30}
    try:
        show(Positions(ends, dict.fromkeys(places, 0), committed))
        assert value("tocsin_lag_records", INVENTORY.name) == 80
        assert value("tocsin_group_position", INVENTORY.name) == 120
        assert value("tocsin_lag_records", "channel.sms") == 0
    finally:
        LAG.clear()
        DONE.clear()
