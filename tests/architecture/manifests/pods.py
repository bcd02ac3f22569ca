"""The pods that objects make, whoever's kind of object it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Object = Mapping[str, Any]

BY_OPERATORS: Final[Mapping[str, tuple[int, ...]]] = {
    "Kafka": (9090, 9091, 9092),
}
"""Ports of pods that an operator makes and that no object here spells out."""


@dataclass(frozen=True)
class Pod:
    """A template: whose it is, its labels, its spec. `long`: it runs until it is ended."""

    owner: str
    labels: Mapping[str, str]
    spec: Object
    long: bool = True

    @property
    def containers(self) -> list[Object]:
        """All of them, those that start before the others too."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    def ports(self) -> dict[str, int]:
        """Name and number of what its containers listen on."""
        return {
            port.get("name", str(port["containerPort"])): port["containerPort"]
            for container in self.containers
            for port in container.get("ports", [])
        }


def pods(objects: Sequence[Object]) -> list[Pod]:
    """Of all objects."""
    return [pod for each in objects for pod in _of(each)]


def _of(each: Object) -> Iterator[Pod]:
    kind, spec = each["kind"], each.get("spec", {})
    owner = f"{kind}/{each['metadata']['name']}"
    if kind in ("Deployment", "StatefulSet", "Job"):
        yield _pod(owner, spec["template"], long=kind != "Job")
    elif kind == "RayCluster":
        groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
        for group in groups:
            node = "worker" if "groupName" in group else "head"
            made = {"ray.io/cluster": each["metadata"]["name"], "ray.io/node-type": node}
            yield _pod(f"{owner}/{group.get('groupName', 'head')}", group["template"], made)
    elif kind in ("ClickHouseInstallation", "ClickHouseKeeperInstallation"):
        for template in spec["templates"]["podTemplates"]:
            yield _pod(owner, template)
    elif kind in BY_OPERATORS:
        yield from _operators(owner, each)


def _pod(
    owner: str, template: Object, more: Mapping[str, str] | None = None, long: bool = True
) -> Pod:
    labels = {**template.get("metadata", {}).get("labels", {}), **(more or {})}
    return Pod(owner, labels, template["spec"], long)


def _operators(owner: str, each: Object) -> Iterator[Pod]:
    name = each["metadata"]["name"]
    ports = [{"containerPort": port} for port in BY_OPERATORS[each["kind"]]]
    for part in ("kafka", "entity-operator"):
        labels = {"strimzi.io/cluster": name, "strimzi.io/name": f"{name}-{part}"}
        containers = [{"name": part, "ports": ports if part == "kafka" else []}]
        yield Pod(f"{owner}/{part}", labels, {"containers": containers})


def selected(selector: Object, among: Sequence[Pod]) -> list[Pod]:
    """The pods a label selector means; an empty one means all."""
    return [pod for pod in among if _matches(selector, pod.labels)]


def _matches(selector: Object, labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for rule in selector.get("matchExpressions", []):
        there = rule["key"] in labels
        if there != (rule["operator"] in ("Exists", "In")):
            return False
        if rule["operator"] == "In" and labels[rule["key"]] not in rule["values"]:
            return False
    return True
