"""A manifest that is broken on purpose is refused, each for its own reason."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.architecture.manifests.render import KUBECTL, Objects, rendered
from tests.architecture.manifests.verdict import problems

pytestmark = pytest.mark.skipif(
    KUBECTL is None, reason="kubectl is not here: nothing renders the manifests of k8s/"
)

Object = dict[str, Any]
Change = Callable[[Object], object]


def pod(found: Object) -> Any:
    return found["spec"]["template"]["spec"]


def container(found: Object) -> Any:
    return pod(found)["containers"][0]


def worker(found: Object, group: int) -> Any:
    return found["spec"]["workerGroupSpecs"][group]


API, STREAMS, OTP, RAY, KAFKA, SETTINGS = (
    ("Deployment", "tocsin-api"), ("Deployment", "tocsin-streams"),
    ("Deployment", "tocsin-streams-otp"), ("RayCluster", "tocsin-ray"), ("Kafka", "tocsin-kafka"),
    ("ConfigMap", "tocsin-settings"),
)  # fmt: skip
TOPIC, POOL = ("KafkaTopic", "notification.requests"), ("KafkaNodePool", "brokers")
CLICKHOUSE, VALKEY = (
    ("ClickHouseInstallation", "tocsin-clickhouse"),
    ("StatefulSet", "tocsin-valkey"),
)
SCALED, TO_VALKEY = ("ScaledObject", "tocsin-streams"), ("NetworkPolicy", "tocsin-valkey")

BROKEN: dict[str, tuple[tuple[str, str], Change, str]] = {
    # the form of its kind
    "a field that Kubernetes does not know": (
        API,
        lambda o: container(o).update(readinesProbe={}),
        "readinesProbe",
    ),
    "a number that is none": (
        API,
        lambda o: container(o)["ports"][0].update(containerPort="8080"),
        "'8080'",
    ),
    "a kind of an API that is gone": (
        ("PodDisruptionBudget", "tocsin-api"),
        lambda o: o.update(apiVersion="policy/v1beta1"),
        "nothing is known",
    ),
    "a field that KubeRay does not know": (
        RAY,
        lambda o: worker(o, 0).update(replica=3),
        "replica",
    ),
    "a pod of Ray's that is no pod": (
        RAY,
        lambda o: worker(o, 0)["template"]["spec"].update(container=[]),
        "container",
    ),
    "a field that Strimzi does not know": (
        KAFKA,
        lambda o: o["spec"]["kafka"].update(replicas=3),
        "replicas",
    ),
    "a role that no broker has": (POOL, lambda o: o["spec"].update(roles=["brokers"]), "brokers"),
    "a ClickHouse with a misspelt layout": (
        CLICKHOUSE,
        lambda o: o["spec"]["configuration"]["clusters"][0]["layout"].update(shards_count=2),
        "shards_count",
    ),
    "a ClickHouse pod with a misspelt field": (
        CLICKHOUSE,
        lambda o: o["spec"]["templates"]["podTemplates"][0]["spec"].update(volume=[]),
        "volume",
    ),
    "a fallback that KEDA does not know": (
        SCALED,
        lambda o: o["spec"]["fallback"].update(behaviour="static"),
        "behaviour",
    ),
    "an alert without an expression": (
        ("PrometheusRule", "tocsin"),
        lambda o: o["spec"]["groups"][0]["rules"][0].pop("expr"),
        "expr",
    ),
    # how containers are kept
    "a container that may be root": (
        API,
        lambda o: pod(o)["securityContext"].update(runAsNonRoot=False),
        "may run as root",
    ),
    "a container that can write": (
        STREAMS,
        lambda o: container(o)["securityContext"].update(readOnlyRootFilesystem=False),
        "can be written",
    ),
    "a sidecar with capabilities": (
        STREAMS,
        lambda o: pod(o)["initContainers"][0]["securityContext"].pop("capabilities"),
        "keeps capabilities",
    ),
    "an actor's pod without seccomp": (
        RAY,
        lambda o: worker(o, 1)["template"]["spec"]["securityContext"].pop("seccompProfile"),
        "no seccomp profile",
    ),
    "a token of the API server": (
        API,
        lambda o: pod(o).update(automountServiceAccountToken=True),
        "token of the API server",
    ),
    "a host's folder": (
        API,
        lambda o: pod(o)["volumes"].append({"name": "h", "hostPath": {"path": "/"}}),
        "sees the host's files",
    ),
    "no bound of memory": (
        VALKEY,
        lambda o: container(o)["resources"].pop("limits"),
        "no limits of memory",
    ),
    "no liveness": (OTP, lambda o: container(o).pop("livenessProbe"), "no livenessProbe"),
    "a probe of a port where nobody listens": (
        STREAMS,
        lambda o: container(o)["livenessProbe"]["httpGet"].update(port="http"),
        "where nobody listens",
    ),
    "an image that may be any": (
        VALKEY,
        lambda o: container(o).update(image="valkey/valkey:latest"),
        "not pinned",
    ),
    "a drain that is cut short": (
        RAY,
        lambda o: worker(o, 0)["template"]["spec"].update(terminationGracePeriodSeconds=30),
        "before its preStop",
    ),
    # what names what
    "settings that are not there": (
        API,
        lambda o: container(o)["envFrom"][0]["configMapRef"].update(name="tocsin-setting"),
        "no config map tocsin-setting",
    ),
    "a secret that nobody makes": (
        API,
        lambda o: container(o)["envFrom"][1]["secretRef"].update(name="tocsin-secret"),
        "no secret tocsin-secret",
    ),
    "a key that the secret has not": (
        VALKEY,
        lambda o: container(o)["env"][0]["valueFrom"]["secretKeyRef"].update(key="pw"),
        "has no key pw",
    ),
    "a volume that is not there": (
        API,
        lambda o: container(o)["volumeMounts"][0].update(name="date"),
        "which is no volume",
    ),
    "a priority that is not there": (
        OTP,
        lambda o: pod(o).update(priorityClassName="otp"),
        "no priority class otp",
    ),
    "a selector that misses its own pods": (
        API,
        lambda o: o["spec"]["template"]["metadata"]["labels"].update(
            {"app.kubernetes.io/name": "x"}
        ),
        "does not match its own labels",
    ),
    "a service for nobody": (
        ("Service", "tocsin-sockets"),
        lambda o: o["spec"]["selector"].update({"tier": "x"}),
        "selects no pod",
    ),
    "a service to a port that is not there": (
        ("Service", "tocsin-api"),
        lambda o: o["spec"]["ports"][0].update(targetPort="web"),
        "a port web",
    ),
    "a budget for nobody": (
        ("PodDisruptionBudget", "tocsin-writer"),
        lambda o: o["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/name": "w"}),
        "selects no pod",
    ),
    "a scaler of what is not there": (
        ("HorizontalPodAutoscaler", "tocsin-api"),
        lambda o: o["spec"]["scaleTargetRef"].update(name="api"),
        "which is not there",
    ),
    "metrics at a port that is not there": (
        ("PodMonitor", "tocsin"),
        lambda o: o["spec"]["podMetricsEndpoints"][0].update(port="prom"),
        "a port prom",
    ),
    "a topic of another cluster": (
        TOPIC,
        lambda o: o["metadata"]["labels"].update({"strimzi.io/cluster": "kafka"}),
        "no Kafka 'kafka'",
    ),
    # the network
    "a namespace that denies nothing": (
        ("NetworkPolicy", "tocsin-default-deny"),
        lambda o: o["spec"].update(policyTypes=["Ingress"]),
        "nothing denies",
    ),
    "a policy for a port where nobody listens": (
        TO_VALKEY,
        lambda o: o["spec"]["ingress"][0]["ports"][0].update(port=6380),
        "where nobody listens",
    ),
    "a policy for every port": (
        TO_VALKEY,
        lambda o: o["spec"]["ingress"][0].pop("ports"),
        "allows every port",
    ),
    "a policy for pods that are not there": (
        TO_VALKEY,
        lambda o: o["spec"]["podSelector"]["matchLabels"].update({"app.kubernetes.io/name": "v"}),
        "selects no pod",
    ),
    "a port that is open to nobody": (
        API,
        lambda o: container(o)["ports"].append({"name": "debug", "containerPort": 5678}),
        "is open to nobody",
    ),
    # numbers that belong together
    "a setting that there is not": (
        SETTINGS,
        lambda o: o["data"].update(TOCSIN_PARTITION="12"),
        "TOCSIN_PARTITION is not a setting",
    ),
    "a topic with other partitions": (
        TOPIC,
        lambda o: o["spec"].update(partitions=6),
        "6 partitions",
    ),
    "a topic that one broker's absence stops": (
        TOPIC,
        lambda o: o["spec"]["config"].update({"min.insync.replicas": "3"}),
        "no broker may be away",
    ),
    "bulk streams that may be scaled to nothing": (
        SCALED,
        lambda o: o["spec"].update(minReplicaCount=0),
        "scaled to nothing",
    ),
    "log-ins scaled by lag": (
        SCALED,
        lambda o: o["spec"]["scaleTargetRef"].update(name="tocsin-streams-otp"),
        "log-ins are scaled by lag",
    ),
    "log-ins scaled to nothing": (OTP, lambda o: o["spec"].update(replicas=0), "scaled to nothing"),
    "more shards than places": (SETTINGS, lambda o: o["data"].update(TOCSIN_SHARDS="3"), "shards"),
    "fewer senders than places": (
        SETTINGS,
        lambda o: o["data"].update(TOCSIN_SMS_SENDERS="5"),
        "places for 7 senders",
    ),
    "actors that may be anywhere": (
        SETTINGS,
        lambda o: o["data"].update(TOCSIN_ACTOR_GROUPS="false"),
        "actors may be anywhere",
    ),
    "an API on another port": (
        SETTINGS,
        lambda o: o["data"].update(TOCSIN_PORT="80"),
        "TOCSIN_PORT",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_refused(name: str) -> None:
    (kind, called), change, why = BROKEN[name]
    objects: Objects = list(rendered()["base"])
    place = next(
        n
        for n, each in enumerate(objects)
        if (each["kind"], each["metadata"]["name"]) == (kind, called)
    )
    objects[place] = copy.deepcopy(objects[place])
    change(objects[place])
    said = problems(objects, [objects[place]])
    assert any(why in line for line in said), said
