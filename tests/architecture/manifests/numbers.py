"""Numbers that several objects say must be the same."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence

from tests.architecture.manifests.pods import Object, Pod
from tocsin.settings import names


def problems(
    objects: Sequence[Object], found: Sequence[Pod], secrets: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Of settings, partitions, replicas, actors and ports."""
    by = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    settings = by["ConfigMap", "tocsin-settings"]["data"]
    yield from _names(objects, found, secrets)
    yield from _topics(objects, settings, by)
    yield from _scaling(objects, settings)
    yield from _actors(by["RayCluster", "tocsin-ray"]["spec"], settings)
    wanted = {"http": "TOCSIN_PORT", "sockets": "TOCSIN_WS_PORT", "metrics": "TOCSIN_METRICS_PORT"}
    for pod in found:
        for name, number in pod.ports().items():
            ours = name in wanted and "tocsin.dev/process" in pod.labels
            if ours and str(number) != settings[wanted[name]]:
                yield f"{pod.owner}: its port {name} is not {wanted[name]}"


def _names(
    objects: Sequence[Object], found: Sequence[Pod], secrets: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    known = names()
    said = [key for each in objects if each["kind"] == "ConfigMap" for key in each["data"]]
    said += [key for keys in secrets.values() for key in keys]
    for pod in found:
        for container in pod.containers:
            said += [variable["name"] for variable in container.get("env", [])]
    for name in said:
        if name.startswith("TOCSIN_") and name not in known:
            yield f"{name} is not a setting"


def _topics(
    objects: Sequence[Object], settings: Mapping[str, str], by: Mapping[tuple[str, str], Object]
) -> Iterator[str]:
    brokers = by["KafkaNodePool", "brokers"]["spec"]["replicas"]
    for each in objects:
        if each["kind"] != "KafkaTopic":
            continue
        spec, name = each["spec"], each["metadata"]["name"]
        if str(spec["partitions"]) != settings["TOCSIN_PARTITIONS"]:
            yield f"{name} has {spec['partitions']} partitions, not TOCSIN_PARTITIONS"
        if str(spec["replicas"]) != settings["TOCSIN_REPLICATION"] or spec["replicas"] > brokers:
            yield f"{name} has {spec['replicas']} replicas, on {brokers} brokers"
        if int(spec["config"]["min.insync.replicas"]) > max(1, spec["replicas"] - 1):
            yield f"{name}: no broker may be away"


def _scaling(objects: Sequence[Object], settings: Mapping[str, str]) -> Iterator[str]:
    for each in objects:
        if each["kind"] == "ScaledObject":
            spec = each["spec"]
            if spec["scaleTargetRef"]["name"] == "tocsin-streams-otp":
                yield "the streams of log-ins are scaled by lag"
            if spec["minReplicaCount"] < 1:
                yield "bulk streams may be scaled to nothing"
            if spec["maxReplicaCount"] > int(settings["TOCSIN_PARTITIONS"]):
                yield "more bulk workers than partitions"
        if each["kind"] == "Deployment" and each["metadata"]["name"] == "tocsin-streams-otp":
            spec = each["spec"]
            if spec["replicas"] < 1:
                yield "the streams of log-ins are scaled to nothing"
            if spec["template"]["spec"]["priorityClassName"] != "tocsin-otp":
                yield "the streams of log-ins have not their own priority"


def _actors(spec: Object, settings: Mapping[str, str]) -> Iterator[str]:
    """One actor a pod; a place for each, and none that stays empty unknown to the settings."""
    places: dict[str, int] = {}
    for group in spec["workerGroupSpecs"]:
        if group["minReplicas"] != group["replicas"] or group["maxReplicas"] != group["replicas"]:
            yield f"the group {group['groupName']} changes its size by itself"
        (said,) = shlex.split(group["rayStartParams"]["resources"])
        for name, count in json.loads(said).items():
            places[name] = places.get(name, 0) + count * group["replicas"]
    shards = int(settings["TOCSIN_SHARDS"])
    if shards != int(settings["TOCSIN_SHARDS_MAX"]):
        yield "TOCSIN_SHARDS_MAX is not TOCSIN_SHARDS: pods do not come by themselves"
    if places.get("tocsin_connections") != shards:
        yield f"{places.get('tocsin_connections')} places for {shards} shards"
    senders = sum(int(settings[f"TOCSIN_{name}_SENDERS"]) for name in ("PUSH", "SMS", "EMAIL"))
    if places.get("tocsin_senders") != senders:
        yield f"{places.get('tocsin_senders')} places for {senders} senders"
    if places.get("tocsin_otp", 0) < 1:
        yield "no place for the lane of one-time codes"
    if settings["TOCSIN_ACTOR_GROUPS"] != "true":
        yield "actors may be anywhere: TOCSIN_ACTOR_GROUPS is not true"
