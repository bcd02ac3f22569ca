"""Whatever names something names what is there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.architecture.manifests.pods import Object, Pod, selected

Secrets = Mapping[str, Mapping[str, str]]
"""Name and keys of the secrets that whoever installs has to make."""


def problems(objects: Sequence[Object], found: Sequence[Pod], secrets: Secrets) -> Iterator[str]:
    """Of names: config maps, secrets and their keys, priority classes, volumes, labels, ports."""
    there = {(each["kind"], each["metadata"]["name"]) for each in objects}
    for pod in found:
        yield from _of_pod(pod, there, secrets)
    for each in objects:
        name = f"{each['kind']}/{each['metadata']['name']}"
        for what in _of_object(each, there, found):
            yield f"{name}: {what}"


def _of_pod(pod: Pod, there: set[tuple[str, str]], secrets: Secrets) -> Iterator[str]:
    priority = pod.spec.get("priorityClassName")
    if priority and ("PriorityClass", priority) not in there:
        yield f"{pod.owner}: no priority class {priority}"
    volumes = {volume["name"] for volume in pod.spec.get("volumes", [])}
    for container in pod.containers:
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes and not pod.owner.startswith("StatefulSet/"):
                yield f"{pod.owner}: mounts {mount['name']}, which is no volume"
    for where in _walk(pod.spec):
        if (config := _named(where, "configMapRef", "configMap")) and (
            ("ConfigMap", config) not in there
        ):
            yield f"{pod.owner}: no config map {config}"
        secret = _named(where, "secretRef", "secretKeyRef") or where.get("secretName")
        if secret and secret not in secrets:
            yield f"{pod.owner}: no secret {secret}"
        key = where.get("secretKeyRef", {}).get("key")
        if key and key not in secrets.get(secret or "", {}):
            yield f"{pod.owner}: the secret {secret} has no key {key}"


def _of_object(each: Object, there: set[tuple[str, str]], found: Sequence[Pod]) -> Iterator[str]:
    kind, spec = each["kind"], each.get("spec", {})
    if kind in ("Deployment", "StatefulSet"):
        labels = spec["template"]["metadata"]["labels"]
        if not spec["selector"]["matchLabels"].items() <= labels.items():
            yield "its selector does not match its own labels"
    if kind == "StatefulSet" and ("Service", spec["serviceName"]) not in there:
        yield f"no service {spec['serviceName']}"
    if kind == "Service":
        yield from _service(spec, found)
    if kind in ("PodDisruptionBudget", "PodMonitor"):
        chosen = selected(spec["selector"], found)
        if not chosen:
            yield "selects no pod"
        for endpoint in spec.get("podMetricsEndpoints", []):
            if any(endpoint["port"] not in pod.ports() for pod in chosen):
                yield f"not all of its pods have a port {endpoint['port']}"
    if target := spec.get("scaleTargetRef"):
        wanted = (target.get("kind", "Deployment"), target["name"])
        if wanted not in there:
            yield f"scales {'/'.join(wanted)}, which is not there"
    for constraint in _spreads(spec):
        if not selected(constraint["labelSelector"], found) and kind not in ("KafkaNodePool",):
            yield "spreads pods that are not there"
    if kind in ("KafkaTopic", "KafkaNodePool"):
        cluster = each["metadata"].get("labels", {}).get("strimzi.io/cluster", "")
        if ("Kafka", cluster) not in there:
            yield f"no Kafka {cluster!r}"


def _service(spec: Object, found: Sequence[Pod]) -> Iterator[str]:
    chosen = selected({"matchLabels": spec["selector"]}, found)
    if not chosen:
        yield "selects no pod"
    for port in spec["ports"]:
        target = port.get("targetPort", port["port"])
        if any(target not in pod.ports() and target not in pod.ports().values() for pod in chosen):
            yield f"not all of its pods have a port {target}"


def _spreads(spec: Any) -> Iterator[Object]:
    for where in _walk(spec):
        yield from where.get("topologySpreadConstraints", [])


def _named(where: Object, *keys: str) -> str | None:
    for key in keys:
        if isinstance(where.get(key), dict) and "name" in where[key]:
            return str(where[key]["name"])
    return None


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each)
