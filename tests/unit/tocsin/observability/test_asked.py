"""Whether somebody reads the metrics."""

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from tocsin.observability.asked import READER_SECONDS, Asked, noticing


def test_who_reads_once_is_a_reader_for_a_while() -> None:
    now = 1000.0
    registry, asked = CollectorRegistry(auto_describe=True), Asked(lambda: now)
    registry.register(asked)
    assert not asked.lately(), "registering is not reading"
    assert generate_latest(registry) == b""
    assert asked.lately()
    now += READER_SECONDS
    assert not asked.lately()


def test_it_is_asked_with_the_process_and_not_afterwards() -> None:
    with noticing() as asked:
        assert not asked.lately()
        generate_latest(REGISTRY)
        assert asked.lately()
    with noticing() as another:
        assert not another.lately()
