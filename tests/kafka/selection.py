"""A pytest plugin (`-p tests.kafka.selection`): keep only the tests that Kafka has a say in.

The others give the same answer whatever the broker is; `make test` has run them.
"""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what does not use the `kafka_url` fixture, directly or through another, and what
    needs a broker but is marked `any_broker`."""
    uses = [item for item in items if _has_a_say(item)]
    others = [item for item in items if item not in set(uses)]
    config.hook.pytest_deselected(items=others)
    items[:] = uses


def _has_a_say(item: pytest.Item) -> bool:
    uses = "kafka_url" in getattr(item, "fixturenames", ())
    return uses and item.get_closest_marker("any_broker") is None
