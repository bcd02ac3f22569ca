"""The parts of k8s/base that say what the code says: topics, alerts, on which lag to scale.

`python -m tocsin.kubernetes topics|alerts|scaling` prints one; a test holds the files to it.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Final

from tocsin.groups import READS, STREAMS
from tocsin.kafka import topic_config
from tocsin.observability.prometheus import RULES
from tocsin.topics import ALL, RETRIES, RETRIES_HIGH, Topic

CLUSTER: Final = "tocsin-kafka"
BOOTSTRAP: Final = f"{CLUSTER}-kafka-bootstrap.tocsin.svc:9092"
PARTITIONS: Final = 12
REPLICAS: Final = 3
LAG_RECORDS: Final = 50
"""Of one topic, that a worker has before there is one more. A record holds many deliveries."""

_MADE: Final = (
    "# Made by `python -m tocsin.kubernetes {name} > k8s/base/{name}.yaml`: change the code.\n"
)

_TOPIC: Final = """\
---
# {about}
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata:
  name: {name}
  labels: {{strimzi.io/cluster: {cluster}}}
  annotations:
    # a topic is never deleted because its file is: neither by Argo CD nor by Flux
    argocd.argoproj.io/sync-options: Prune=false,Delete=false
    kustomize.toolkit.fluxcd.io/prune: disabled
spec:
  partitions: {partitions}
  replicas: {replicas}
  config:
{config}
"""

_RULES: Final = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: tocsin
spec:
{rules}
"""

_SCALED: Final = """\
# As many bulk workers as there is lag for, between two and one a partition. Retries wait on
# purpose, so theirs is no lag. With every new worker the group shares out anew, some seconds
# without work: so it grows by several at once, and shrinks by one in five minutes.
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: tocsin-streams
spec:
  scaleTargetRef: {{name: tocsin-streams}}
  minReplicaCount: 2
  maxReplicaCount: {partitions}
  pollingInterval: 15
  cooldownPeriod: 300
  # a Kafka that cannot be asked changes nothing
  fallback: {{failureThreshold: 3, replicas: 4, behavior: currentReplicas}}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleUp:
          stabilizationWindowSeconds: 30
          policies:
            - {{type: Pods, value: 4, periodSeconds: 60}}
        scaleDown:
          stabilizationWindowSeconds: 600
          policies:
            - {{type: Pods, value: 1, periodSeconds: 300}}
  triggers:
{triggers}
"""

_TRIGGER: Final = """\
    - type: kafka
      metadata:
        bootstrapServers: {bootstrap}
        consumerGroup: {group}
        topic: {topic}
        lagThreshold: "{lag}"
        offsetResetPolicy: earliest"""


def topics() -> str:
    """A KafkaTopic of each of the catalogue."""
    return _MADE.format(name="topics") + "".join(_topic(topic) for topic in ALL)


def _topic(topic: Topic) -> str:
    config = {**topic_config(topic), "min.insync.replicas": "2"}
    lines = "\n".join(f'    {key}: "{value}"' for key, value in config.items())
    return _TOPIC.format(
        about=topic.about, name=topic.name, cluster=CLUSTER, partitions=PARTITIONS,
        replicas=REPLICAS, config=lines,
    )  # fmt: skip


def alerts() -> str:
    """The rules of Prometheus, as the operator's resource."""
    lines = RULES.read_text().splitlines()
    rules = "\n".join(f"  {line}" if line else "" for line in lines)
    return _MADE.format(name="alerts") + _RULES.format(rules=rules)


def scaling() -> str:
    """KEDA's object: a trigger for each topic whose lag is work that waits."""
    held = {*RETRIES, *RETRIES_HIGH}
    triggers = "\n".join(
        _TRIGGER.format(bootstrap=BOOTSTRAP, group=STREAMS, topic=topic.name, lag=LAG_RECORDS)
        for topic in READS[STREAMS]
        if topic not in held
    )
    return _MADE.format(name="scaling") + _SCALED.format(partitions=PARTITIONS, triggers=triggers)


MADE: Final[Mapping[str, Callable[[], str]]] = {
    "topics": topics, "alerts": alerts, "scaling": scaling,
}  # fmt: skip


def main(argv: list[str]) -> int:
    """Print what is asked for; 2 when it is nothing of ours."""
    if len(argv) != 1 or argv[0] not in MADE:
        print(f"usage: python -m tocsin.kubernetes {'|'.join(MADE)}", file=sys.stderr)
        return 2
    sys.stdout.write(MADE[argv[0]]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
