"""What every container of ours keeps to."""

from collections.abc import Iterator, Sequence
from typing import Any

from tests.architecture.manifests.pods import Object, Pod


def problems(found: Sequence[Pod]) -> Iterator[str]:
    """Of the pods whose spec is ours; those an operator makes have none here."""
    for pod in found:
        if all("image" in container for container in pod.containers):
            yield from _pod(pod)


def _pod(pod: Pod) -> Iterator[str]:
    spec = pod.spec
    if spec.get("automountServiceAccountToken") is not False:
        yield f"{pod.owner}: has a token of the API server"
    security = spec.get("securityContext", {})
    if not security.get("runAsNonRoot") or not security.get("runAsUser"):
        yield f"{pod.owner}: may run as root"
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield f"{pod.owner}: no seccomp profile"
    if not spec.get("priorityClassName"):
        yield f"{pod.owner}: no priority class"
    if spec.get("hostNetwork") or spec.get("hostPID") or spec.get("hostIPC"):
        yield f"{pod.owner}: is in the host's namespaces"
    if any("hostPath" in volume for volume in spec.get("volumes", [])):
        yield f"{pod.owner}: sees the host's files"
    for container in pod.containers:
        for what in _container(container, pod):
            yield f"{pod.owner}: container {container['name']}: {what}"
    yield from _grace(pod)


def _container(container: Object, pod: Pod) -> Iterator[str]:
    security = container.get("securityContext", {})
    if security.get("readOnlyRootFilesystem") is not True:
        yield "its root file system can be written"
    if security.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if security.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "keeps capabilities"
    resources = container.get("resources", {})
    for kind, name in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
        if name not in resources.get(kind, {}):
            yield f"no {kind} of {name}"
    runs = container in pod.spec["containers"] or container.get("restartPolicy") == "Always"
    if pod.long and runs:
        for probe in ("livenessProbe", "readinessProbe"):
            if probe not in container:
                yield f"no {probe}"
            else:
                yield from _probe(container[probe], probe, pod)
    image = container["image"]
    if image.endswith(":latest") or (":" not in image and image != "tocsin"):
        yield f"the image {image} is not pinned"


def _probe(probe: Object, name: str, pod: Pod) -> Iterator[str]:
    asked: Any = probe.get("httpGet") or probe.get("tcpSocket") or {}
    port = asked.get("port")
    ports = pod.ports()
    if port is not None and port not in ports and port not in ports.values():
        yield f"{name} asks the port {port}, where nobody listens"


def _grace(pod: Pod) -> Iterator[str]:
    for container in pod.containers:
        stop = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])
        if stop and float(stop[-1]) + 10 > pod.spec.get("terminationGracePeriodSeconds", 30):
            yield f"{pod.owner}: is killed before its preStop ({stop[-1]} s) has ended"
