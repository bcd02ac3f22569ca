"""A pytest plugin (`-p tests.kafka.selection`): keep only the tests that talk to Kafka.

The others give the same answer whatever the broker is; `make test` has run them.
"""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what does not use the `kafka_url` fixture, directly or through another."""
    uses = [item for item in items if "kafka_url" in getattr(item, "fixturenames", ())]
    others = [item for item in items if item not in set(uses)]
    config.hook.pytest_deselected(items=others)
    items[:] = uses
