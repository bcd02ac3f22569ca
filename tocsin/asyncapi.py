"""The AsyncAPI 3 document of the topics, from the records: `python -m tocsin.asyncapi`."""

import json
from typing import Any, Final

import msgspec

from tocsin import __version__, records, topics
from tocsin.topics import Topic

_RECORD: Final[dict[str, type[Any]]] = {
    topics.INVENTORY.name: records.InventoryChange,
    **{t.name: records.NotificationRequest for t in topics.REQUESTS_BY_LANE.values()},
    topics.OTP.name: records.OtpChallenge,
    topics.SCHEDULE.name: records.Deferred,
    **{topic.name: records.DueBatch for topic in topics.DUE_BY_LANE.values()},
    topics.CANCELLATIONS.name: records.Cancellation,
    topics.BROADCASTS.name: records.Broadcast,
    topics.PAGES.name: records.Page,
    topics.TEMPLATES.name: records.Template,
    topics.OUTCOMES.name: records.OutcomeBatch,
    topics.ENGAGEMENT.name: records.Engagement,
    topics.DEAD.name: records.DeadLetter,
    topics.PROFILES.name: records.Profile,
    topics.SUBSCRIPTIONS.name: records.Subscription,
    **{topic.name: records.DeliveryBatch for topic in topics.BY_CHANNEL.values()},
    **{t.name: records.DeliveryBatch for t in topics.ALL if t.name.startswith("retry.")},
}
_PUBLIC_INPUTS: Final = {
    topics.INVENTORY.name,
    *(topic.name for topic in topics.REQUESTS_BY_LANE.values()),
}


def document() -> dict[str, Any]:
    """Every topic that has a record, its key, and the JSON Schema of its value."""
    served = [topic for topic in topics.ALL if topic.name in _RECORD]
    kinds = list(dict.fromkeys(_RECORD[topic.name] for topic in served))
    _, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tocsin topics",
            "version": __version__,
            "description": "JSON values. The two inputs also take CloudEvents 1.0, structured mode;"
            " notification.requests takes one request or {requests: [...]}.",
        },
        "channels": {topic.name: _channel(topic) for topic in served},
        "operations": {
            topic.name: {
                "action": "receive" if topic.name in _PUBLIC_INPUTS else "send",
                "channel": {"$ref": f"#/channels/{topic.name}"},
            }
            for topic in served
        },
        "components": {"schemas": schemas},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    kind = _RECORD[topic.name].__name__
    return {
        "address": topic.name,
        "description": topic.about + (" (internal)" if topic.internal else ""),
        "messages": {
            kind: {
                "contentType": "application/json",
                "payload": {"$ref": f"#/components/schemas/{kind}"},
                "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
            }
        },
    }


if __name__ == "__main__":
    print(json.dumps(document(), indent=2))
